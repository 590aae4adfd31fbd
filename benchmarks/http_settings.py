"""The product's settings, with one more address and an access token that lasts as long as the benchmark."""

from walletproject.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.urls"
JWT_ACCESS_SECONDS = 3600
