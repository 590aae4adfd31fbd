"""Staff look for people by how their names begin, whatever the case: as `istartswith` asks."""

from django.db import migrations

MAKE = "CREATE INDEX CONCURRENTLY users_user_name ON users_user (upper(full_name) text_pattern_ops)"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("users", "0003_second_factor")]

    operations = [migrations.RunSQL(MAKE, "DROP INDEX users_user_name")]
