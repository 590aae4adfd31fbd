"""How pages write dates and moments: to the second, and always with the zone, which is UTC. A moment breaks between day
and time where there is no room for both, and nowhere else.
"""

DATETIME_FORMAT = "j\N{NO-BREAK SPACE}M\N{NO-BREAK SPACE}Y, H:i:s\N{NO-BREAK SPACE}T"
DATE_FORMAT = "j\N{NO-BREAK SPACE}M\N{NO-BREAK SPACE}Y"
