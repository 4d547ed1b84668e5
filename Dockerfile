# A small image without a shell, for a user that is not root:
#
#   docker build -t batchproof .
#   docker run --rm -v "$PWD:/work" -u "$(id -u)" -e BATCHPROOF_TOKEN batchproof run --target https://staging.example
#
# `--target shell` adds busybox, for CI servers that start jobs with /bin/sh (GitLab). A release takes the binary that
# it has built already: `--build-context build=DIR`, where DIR has `out/batchproof`, `out/certificates` and `out/work`.
FROM rust:1.95-alpine AS build
RUN apk add --no-cache build-base ca-certificates
WORKDIR /source
COPY . .
RUN cargo build --release --locked \
    && mkdir -p /out/work \
    && cp target/release/batchproof /out/batchproof \
    && cp /etc/ssl/certs/ca-certificates.crt /out/certificates

FROM busybox:1.37-musl AS shell
COPY --from=build /out/batchproof /usr/local/bin/batchproof
COPY --from=build /out/certificates /etc/ssl/certs/ca-certificates.crt
COPY --from=build --chown=65532:65532 /out/work /work
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["/usr/local/bin/batchproof"]

FROM scratch
COPY --from=build /out/batchproof /usr/local/bin/batchproof
COPY --from=build /out/certificates /etc/ssl/certs/ca-certificates.crt
COPY --from=build --chown=65532:65532 /out/work /work
ENV PATH=/usr/local/bin
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["/usr/local/bin/batchproof"]
CMD ["--help"]
