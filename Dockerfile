# Fairlead: worker, gateway and sandbox are one image, started with different commands.

FROM python:3.11.14-slim-bookworm AS build
WORKDIR /src
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.lock ./
RUN python -m venv /opt/fairlead \
    && /opt/fairlead/bin/pip install --require-hashes --no-deps -r requirements.lock
COPY . .
RUN /opt/fairlead/bin/pip install --no-deps --no-build-isolation . \
    # In containers the example firm finds the sandbox by its service name.
    && sed -i 's|http://127.0.0.1:8500|http://sandbox:8500|' examples/firm/fairlead.toml

FROM python:3.11.14-slim-bookworm
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin fairlead \
    && install -d -o fairlead -g fairlead -m 0700 /var/lib/fairlead
COPY --from=build /opt/fairlead /opt/fairlead
COPY --from=build --chown=fairlead:fairlead /src/examples/firm /etc/fairlead
ENV PATH=/opt/fairlead/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    FAIRLEAD_HOME=/var/lib/fairlead \
    FAIRLEAD_FIRM_FILE=/etc/fairlead/fairlead.toml
USER fairlead
WORKDIR /var/lib/fairlead
VOLUME /var/lib/fairlead
CMD ["fairlead", "--help"]
