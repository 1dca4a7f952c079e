"""The options of a request as a type, for your own functions that pass them on. Made from the option table by docs/generate.py.

::

    if TYPE_CHECKING:
        from typing_extensions import Unpack

        from requite.optiontypes import RequestOptions

    def fetch(path: str, **options: Unpack[RequestOptions]) -> Request:
        return api.get(path, **options)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import timedelta
    from os import PathLike

    from requite.transport.pools import Pool
    from requite.transport.recording import HarLog


class RequestOptions(TypedDict, total=False):
    """Every option, under both of its names; docs/reference/options.md tells what each is for."""

    uri: Any
    url: Any
    base_url: str | None
    baseUrl: str | None
    method: str | None
    headers: Mapping[str, Any] | Sequence[tuple[str, Any]] | None
    qs: Mapping[str, Any] | None
    qs_parse_options: Mapping[str, Any] | None
    qsParseOptions: Mapping[str, Any] | None
    qs_stringify_options: Mapping[str, Any] | None
    qsStringifyOptions: Mapping[str, Any] | None
    use_querystring: bool | None
    useQuerystring: bool | None
    body: Any
    form: Mapping[Any, Any] | str | bytes | None
    form_data: Mapping[str, Any] | None
    formData: Mapping[str, Any] | None
    multipart: Sequence[Any] | Mapping[str, Any] | None
    preamble_crlf: bool | None
    preambleCRLF: bool | None
    postamble_crlf: bool | None
    postambleCRLF: bool | None
    json: Any
    json_reviver: Callable[[str, Any], Any] | None
    jsonReviver: Callable[[str, Any], Any] | None
    json_replacer: Callable[[str, Any], Any] | Sequence[str | int] | None
    jsonReplacer: Callable[[str, Any], Any] | Sequence[str | int] | None
    auth: Mapping[str, Any] | tuple[str, str | None] | None
    oauth: Mapping[str, Any] | None
    hawk: Mapping[str, Any] | None
    aws: Mapping[str, Any] | None
    http_signature: Mapping[str, Any] | None
    httpSignature: Mapping[str, Any] | None
    http_message_signature: Mapping[str, Any] | None
    httpMessageSignature: Mapping[str, Any] | None
    signers: Sequence[Any] | None
    netrc: bool | str | PathLike[str] | None
    jar: Any
    follow_redirect: bool | Callable[[Any], bool] | None
    followRedirect: bool | Callable[[Any], bool] | None
    follow_all_redirects: bool | None
    followAllRedirects: bool | None
    follow_original_http_method: bool | None
    followOriginalHttpMethod: bool | None
    max_redirects: int | None
    maxRedirects: int | None
    remove_referer_header: bool | None
    removeRefererHeader: bool | None
    allow_insecure_redirect: bool | None
    allowInsecureRedirect: bool | None
    redirect_filter: Callable[[Any], bool] | None
    redirectFilter: Callable[[Any], bool] | None
    sensitive_headers: Sequence[str] | None
    sensitiveHeaders: Sequence[str] | None
    encoding: str | None
    gzip: bool | None
    pool: Mapping[str, Any] | Pool | bool | None
    agent: Pool | bool | None
    agent_options: Mapping[str, Any] | None
    agentOptions: Mapping[str, Any] | None
    forever: bool | None
    timeout: int | timedelta | Mapping[str, Any] | None
    deadline: int | timedelta | None
    max_body: int | None
    maxBody: int | None
    proxy: Any
    tunnel: bool | None
    proxy_header_white_list: Sequence[str] | None
    proxyHeaderWhiteList: Sequence[str] | None
    proxy_header_exclusive_list: Sequence[str] | None
    proxyHeaderExclusiveList: Sequence[str] | None
    strict_ssl: bool | None
    strictSSL: bool | None
    reject_unauthorized: bool | None
    rejectUnauthorized: bool | None
    ca: str | bytes | PathLike[str] | Sequence[str | bytes | PathLike[str]] | None
    cert: str | bytes | PathLike[str] | None
    key: str | bytes | PathLike[str] | None
    pfx: str | bytes | PathLike[str] | None
    passphrase: str | None
    ciphers: str | None
    min_version: str | None
    minVersion: str | None
    server_hostname: str | None
    serverHostname: str | None
    assert_fingerprint: str | None
    assertFingerprint: str | None
    local_address: str | None
    localAddress: str | None
    family: int | None
    lookup: Callable[[str, Any], Any] | None
    retry: int | Mapping[str, Any] | None
    idempotency_key: bool | str | None
    idempotencyKey: bool | str | None
    har_log: str | PathLike[str] | HarLog | None
    harLog: str | PathLike[str] | HarLog | None
    time: bool | None
    progress: bool | None
    pipefilter: Callable[[Any, Any], Any] | None
    har: Mapping[str, Any] | None
    callback: Callable[[Any, Any, Any], Any] | None
    agent_class: None
    agentClass: None
    http_modules: None
    httpModules: None
