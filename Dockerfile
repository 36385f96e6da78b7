# Attaché in one image for every role: `docker run … attache run` by default, `clock`, `worker`, `web`, `discord`, `migrate` by name.
# Build: docker build -t attache .
FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/attache
WORKDIR /src
# what changes seldom comes first, so that a change of ours does not download everything anew
COPY requirements.lock ./
RUN /opt/attache/bin/pip install --no-deps --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY handlers handlers
COPY config config
RUN /opt/attache/bin/pip install --no-deps . && /opt/attache/bin/pip uninstall --yes pip setuptools

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --user-group --home-dir /data --shell /usr/sbin/nologin attache \
    && install --directory --owner attache --group attache /data
COPY --from=build /opt/attache /opt/attache
ENV PATH=/opt/attache/bin:$PATH \
    HOME=/data \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ATTACHE_DATABASE_URL=sqlite+aiosqlite:////data/attache.db \
    ATTACHE_HTTP_PORT=8080 \
    ATTACHE_LOG=json
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
# no curl in the image: Python asks, past any proxy of the environment
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['ATTACHE_HTTP_PORT']), timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["attache"]
CMD ["run"]
