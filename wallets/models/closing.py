from django.db import models


class MailedHead(models.Model):
    """A head of the seals that finance was told of: the row is the claim of who tells it."""

    day = models.DateField(primary_key=True)
    mailed_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.day)
