# Two images: the proxy alone (the last stage, which `docker build .` makes), and `--target with-cli`, which brings the Claude
# Code program for logins that go through it. Neither runs as root nor writes outside its volume and /tmp.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY src src
# EXTRAS=compression,postgres for several proxies on one database (deploy/compose.postgres.yaml).
ARG EXTRAS=compression
RUN python -m venv /opt/proxy && /opt/proxy/bin/pip install --no-cache-dir ".[${EXTRAS}]"

FROM build AS build-with-cli
RUN /opt/proxy/bin/pip install --no-cache-dir '.[cli]'

FROM python:${PYTHON}-slim AS base
# PROXY_HOST opens the container, so the start is refused until PROXY_API_KEYS says who may come in.
ENV PATH=/opt/proxy/bin:$PATH \
    HOME=/state/home \
    STATE_DIR=/state \
    PROXY_HOST=0.0.0.0 \
    PORT=3000 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
RUN useradd --uid 10001 --no-create-home --home-dir /state/home --shell /usr/sbin/nologin proxy \
    && install --directory --owner 10001 --group 10001 --mode 0700 /state /state/home
WORKDIR /state/home
USER 10001
VOLUME ["/state"]
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health')"]
ENTRYPOINT ["claude-openai-proxy"]

FROM base AS with-cli
COPY --from=build-with-cli /opt/proxy /opt/proxy

FROM base AS proxy
COPY --from=build /opt/proxy /opt/proxy
