"""How pages write dates and moments: to the second, and always with the zone, which is UTC."""

DATETIME_FORMAT = "j M Y, H:i:s T"
DATE_FORMAT = "j M Y"
