"""Applications by others that toolway is run on, with a few calls to each.

In texts, ``{folder}`` is the application's own folder, ``{python}`` the interpreter of its environment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["APPLICATIONS", "Application", "Call"]


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call, and the plain HTTP request that it stands for."""

    tool: str
    arguments: dict[str, Any]
    request: str
    """Method and path: ``GET /pools?limit=5``."""
    body: Any = None


@dataclass(frozen=True, slots=True)
class Application:
    name: str
    requirements: tuple[str, ...]
    expression: str
    package: str
    """The distribution whose version is reported."""
    env: dict[str, str] = field(default_factory=dict[str, str])
    setup: tuple[tuple[str, ...], ...] = ()
    documents: tuple[str, ...] = ("/openapi.json",)
    """Where it serves its documents; without any, it is asked for one in its own environment."""
    login: Call | None = None
    """How to get a token; the tool's name is the token's key in the answer."""
    token: str = ""
    """A bearer token that the application accepts from the start."""
    calls: tuple[Call, ...] = ()
    source: str = ""
    """A folder in its repository, for an application that is not a package."""
    is_ours: bool = False
    """Whether the module is one of those in ``mounted``."""
    beside: bool = True
    """Whether it can share an environment with toolway."""
    remark: str = ""


TITILER = Application(
    name="titiler.application",
    requirements=("titiler.application==2.4.0",),
    expression="titiler.application.main:app",
    package="titiler.application",
    documents=("/api",),
    setup=(
        (
            "{python}",
            "-c",
            (
                "import numpy, rasterio\n"
                "from rasterio.transform import from_bounds\n"
                "place = {'crs': 'EPSG:4326', 'transform': from_bounds(-10, -10, 10, 10, 64, 64)}\n"
                "with rasterio.open('{folder}/world.tif', 'w', driver='GTiff', width=64, height=64, count=1,"
                " dtype='uint8', **place) as made:\n"
                "    made.write(numpy.arange(4096).reshape(64, 64).astype('uint8'), 1)\n"
            ),
        ),
    ),
    calls=(
        Call("healthCheck", {}, "GET /healthz"),
        Call("getTileMatrixSet", {"tileMatrixSetId": "WebMercatorQuad"}, "GET /tileMatrixSets/WebMercatorQuad"),
        Call("getTileMatrixSet", {"tileMatrixSetId": "Nowhere"}, "GET /tileMatrixSets/Nowhere"),
        Call("getTileMatrixSetsList", {}, "GET /tileMatrixSets"),
        Call("cog_getInfo", {"url": "{folder}/world.tif"}, "GET /cog/info?url={folder}/world.tif"),
        Call("cog_getInfo", {"url": "{folder}/gone.tif"}, "GET /cog/info?url={folder}/gone.tif"),
        Call(
            "cog_getDataForPoint",
            {"lon": 1.5, "lat": -2, "url": "{folder}/world.tif"},
            "GET /cog/point/1.5,-2?url={folder}/world.tif",
        ),
        Call(
            "cog_getStatistics",
            {"url": "{folder}/world.tif", "bidx": [1], "p": [5, 95]},
            "GET /cog/statistics?url={folder}/world.tif&bidx=1&p=5&p=95",
        ),
        Call(
            "cog_getPreviewWithFormat",
            {"format": "png", "url": "{folder}/world.tif", "max_size": 32},
            "GET /cog/preview.png?url={folder}/world.tif&max_size=32",
        ),
    ),
    remark="an image among the answers",
)
AIRFLOW = Application(
    name="apache-airflow",
    requirements=("apache-airflow==3.3.2",),
    expression='airflow.api_fastapi.app:create_app(apps="core")',
    package="apache-airflow",
    env={
        "AIRFLOW_HOME": "{folder}/home",
        "AIRFLOW__API_AUTH__JWT_SECRET": "0123456789abcdef" * 4,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
    },
    setup=(("{python}", "-m", "airflow", "db", "migrate"),),
    documents=("/openapi.json", "/auth/openapi.json"),
    calls=(
        Call("get_version", {}, "GET /api/v2/version"),
        Call("get_pools", {"limit": 5, "order_by": ["name"]}, "GET /api/v2/pools?limit=5&order_by=name"),
        Call("get_pool", {"pool_name": "default_pool"}, "GET /api/v2/pools/default_pool"),
        Call("get_pool", {"pool_name": "no such/pool"}, "GET /api/v2/pools/no%20such%2Fpool"),
        Call("get_pool", {"pool_name": "nowhere"}, "GET /api/v2/pools/nowhere"),
        Call("get_pools", {"limit": -1}, "GET /api/v2/pools?limit=-1"),
        Call("get_dags", {"limit": 2, "tags": ["a", "b"]}, "GET /api/v2/dags?limit=2&tags=a&tags=b"),
        Call("get_variables", {}, "GET /api/v2/variables"),
        Call("get_config", {}, "GET /api/v2/config"),
        Call("get_providers", {"limit": 3}, "GET /api/v2/providers?limit=3"),
    ),
    remark="a mounted sub-application with its own document; a middleware of its own logs everybody in",
)
OPEN_WEBUI = Application(
    name="open-webui",
    requirements=("open-webui==0.12.4",),
    expression="open_webui.main:app",
    package="open-webui",
    env={
        "WEBUI_SECRET_KEY": "for this run only",
        "WEBUI_AUTH": "False",
        "OFFLINE_MODE": "true",
        "ENV": "dev",  # its document is off otherwise
        "DATA_DIR": "{folder}/data",
        "STATIC_DIR": "{folder}/static",
        "FRONTEND_BUILD_DIR": "{folder}/build",
    },
    setup=(("mkdir", "-p", "{folder}/data", "{folder}/static", "{folder}/build/static"),),
    login=Call("token", {}, "POST /api/v1/auths/signin", {"email": "", "password": ""}),
    calls=(
        Call("get_banners", {}, "GET /api/v1/configs/banners"),
        Call("get_default_user_permissions", {}, "GET /api/v1/users/default/permissions"),
        Call("get_audio_config", {}, "GET /api/v1/audio/config"),
        Call("search_users", {"query": "adm", "page": 1}, "GET /api/v1/users/search?query=adm&page=1"),
        Call("search_users", {"page": "first"}, "GET /api/v1/users/search?page=first"),
        Call("get_user_by_id", {"user_id": "missing"}, "GET /api/v1/users/missing"),
        Call("get_config_namespace", {"namespace": "nothing"}, "GET /api/v1/configs/namespace/nothing"),
    ),
    remark="15 duplicate operation ids; a route class of its own; callers log in",
)
DOCLING = Application(
    name="docling-serve",
    requirements=("docling-serve==1.38.2",),
    expression="docling_serve.app:create_app()",
    package="docling-serve",
    env={"DOCLING_SERVE_LOAD_MODELS_AT_BOOT": "false", "HF_HUB_OFFLINE": "1"},
    calls=(
        Call("health", {}, "GET /health"),
        Call("readiness", {}, "GET /ready"),
        Call("version_info", {}, "GET /version"),
        Call("capabilities", {}, "GET /v1/capabilities"),
        Call("task_status_poll", {"task_id": "nothing"}, "GET /v1/status/poll/nothing"),
        Call("task_result", {"task_id": "nothing"}, "GET /v1/result/nothing"),
        Call("memory_counts", {}, "GET /v1/memory/counts"),
        Call("process_url", {"sources": []}, "POST /v1/convert/source", {"sources": []}),
        Call(
            "process_url",
            {"sources": [{"kind": "nothing"}]},
            "POST /v1/convert/source",
            {"sources": [{"kind": "nothing"}]},
        ),
    ),
    remark="discriminated unions; models are not loaded at start, for they would be downloaded",
)
GALAXIUM = Application(
    name="galaxium-travels",
    requirements=("fastmcp", "uvicorn", "sqlalchemy", "python-dotenv", "httpx", "psycopg2-binary"),
    expression="server:app",
    package="",
    source="booking_system_backend",
    calls=(
        Call("health_check", {}, "GET /"),
        Call("get_flights", {"origin": "Earth", "max_price": 3000000}, "GET /flights?origin=Earth&max_price=3000000"),
        Call("get_flights", {"sort_by": "price", "sort_order": "desc"}, "GET /flights?sort_by=price&sort_order=desc"),
        Call("get_flights", {"min_price": "cheap"}, "GET /flights?min_price=cheap"),
        Call("get_user_bookings", {"user_id": 1}, "GET /bookings/1"),
        Call("get_user_bookings", {"user_id": "me"}, "GET /bookings/me"),
        Call("get_user_endpoint", {"name": "No", "email": "a@b.c"}, "GET /user?name=No&email=a%40b.c"),
    ),
    remark="root_path; its own MCP server at /mcp stays there; toolway is at /toolway/mcp",
)
MLFLOW = Application(
    name="mlflow",
    requirements=("mlflow==3.17.2",),
    expression="mlflow.server.fastapi_app:app",
    package="mlflow",
    documents=(),
    env={
        "MLFLOW_TRACKING_URI": "sqlite:///{folder}/runs.db",
        "_MLFLOW_SERVER_FILE_STORE": "sqlite:///{folder}/runs.db",
    },
    calls=(
        Call("health", {}, "GET /health"),
        Call("get_server_info_api_3_0_mlflow_server_info_get", {}, "GET /api/3.0/mlflow/server-info"),
        Call("get_providers", {}, "GET /ajax-api/3.0/mlflow/assistant/providers"),
        Call("get_job", {"job_id": "nothing"}, "GET /ajax-api/3.0/jobs/nothing"),
        Call(
            "search_mcp_servers_api_3_0_mlflow_mcp_servers_get",
            {"max_results": 2, "order_by": ["name"]},
            "GET /api/3.0/mlflow/mcp-servers?max_results=2&order_by=name",
        ),
        Call(
            "search_mcp_servers_api_3_0_mlflow_mcp_servers_get",
            {"max_results": "two"},
            "GET /api/3.0/mlflow/mcp-servers?max_results=two",
        ),
        Call(
            "get_mcp_server_api_3_0_mlflow_mcp_servers__name__get",
            {"name": "nothing"},
            "GET /api/3.0/mlflow/mcp-servers/nothing",
        ),
    ),
    remark="a Flask application mounted at the root takes every other path",
)
LANGFLOW = Application(
    name="langflow-base",
    requirements=("langflow-base==1.13.0",),
    expression="langflow.main:create_app()",
    package="langflow-base",
    beside=False,
    remark="pins mcp<2, so it cannot be in one process with toolway: only its document is read",
)

PREFECT = Application(
    name="prefect",
    requirements=("prefect==3.9.1",),
    expression="prefect.server.api.server:create_app()",
    package="prefect",
    documents=("/api/openapi.json",),
    env={
        "PREFECT_HOME": "{folder}/home",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    },
    calls=(
        Call("health_check", {}, "GET /api/health"),
        Call("server_version", {}, "GET /api/version"),
        Call("hello", {}, "GET /api/hello"),
        Call("read_settings", {}, "GET /api/admin/settings"),
        Call("read_flows", {"limit": 5}, "POST /api/flows/filter", {"limit": 5}),
        Call("read_flows", {"limit": -1}, "POST /api/flows/filter", {"limit": -1}),
        Call("count_flows", {}, "POST /api/flows/count", {}),
        Call("read_flow_by_name", {"name": "nothing"}, "GET /api/flows/name/nothing"),
        Call(
            "read_flow",
            {"id": "00000000-0000-4000-8000-000000000000"},
            "GET /api/flows/00000000-0000-4000-8000-000000000000",
        ),
        Call("read_variables", {"limit": 3}, "POST /api/variables/filter", {"limit": 3}),
    ),
    remark="a middleware with a limited number of places; its document also names paths that only a catch-all serves",
)
LITELLM = Application(
    name="litellm",
    requirements=("litellm[proxy]==1.108.7",),
    expression="litellm.proxy.proxy_server:app",
    package="litellm",
    env={"LITELLM_MASTER_KEY": "sk-for-this-run-only", "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    token="sk-for-this-run-only",
    calls=(
        Call("get_routes", {}, "GET /routes"),
        Call("health_liveliness_health_liveliness_get", {}, "GET /health/liveliness"),
        Call("model_list_v1_models_get", {}, "GET /v1/models"),
        Call("model_info_v1_models__model_id__get", {"model_id": "nothing"}, "GET /v1/models/nothing"),
        Call("get_supported_providers", {}, "GET /public/providers"),
        Call("get_complexity_scorer_defaults", {}, "GET /public/complexity_router/scorer_defaults"),
        Call("get_robots", {}, "GET /robots.txt"),
    ),
    remark="half of its routes are added at the first request; its own MCP server is at /mcp",
)
ZENML = Application(
    name="zenml",
    requirements=("zenml[server]==0.98.0",),
    expression="zenml.zen_server.zen_server_api:app",
    package="zenml",
    env={
        "ZENML_CONFIG_PATH": "{folder}/home",
        "ZENML_ANALYTICS_OPT_IN": "false",
        "ZENML_STORE_TYPE": "sql",
        "ZENML_STORE_URL": "sqlite:///{folder}/store.db",
        "ZENML_SERVER_AUTH_SCHEME": "NO_AUTH",
        "ZENML_SERVER_AUTO_ACTIVATE": "true",
    },
    calls=(
        Call("version", {}, "GET /api/v1/version"),
        Call("get_current_user", {}, "GET /api/v1/current-user"),
        Call("list_projects_api_v1_projects_get", {"size": 2}, "GET /api/v1/projects?size=2"),
        Call("list_projects_api_v1_projects_get", {"size": -1}, "GET /api/v1/projects?size=-1"),
        Call("list_tags", {"page": 1}, "GET /api/v1/tags?page=1"),
        Call("get_tag", {"tag_id": "nothing"}, "GET /api/v1/tags/nothing"),
    ),
    remark="268 tools with wide schemas",
)
DSTACK = Application(
    name="dstack",
    requirements=("dstack[server]==0.22.5",),
    expression="dstack._internal.server.main:app",
    package="dstack",
    env={
        "DSTACK_SERVER_DIR": "{folder}/server",
        "DSTACK_SERVER_ADMIN_TOKEN": "for-this-run-only",
        "DSTACK_UPDATE_DEFAULT_PROJECT": "0",
        "DSTACK_SERVER_BACKGROUND_PROCESSING_DISABLED": "1",
    },
    token="for-this-run-only",
    calls=(
        Call("healthcheck", {}, "GET /healthcheck"),
        Call("get_server_info", {}, "POST /api/server/get_info"),
        Call("get_my_user", {}, "POST /api/users/get_my_user"),
        Call("get_user", {"username": "admin"}, "POST /api/users/get_user", {"username": "admin"}),
        Call("get_user", {"username": "missing"}, "POST /api/users/get_user", {"username": "missing"}),
        Call("list_only_no_fleets", {}, "POST /api/projects/list_only_no_fleets"),
    ),
    remark="every operation is a POST; middleware of its own",
)
GRADIO = Application(
    name="gradio",
    requirements=("gradio==6.31.0",),
    expression="with_gradio:app",
    package="gradio",
    is_ours=True,
    env={"GRADIO_ANALYTICS_ENABLED": "False"},
    calls=(
        Call("add", {"a": 1, "b": 2}, "GET /add?a=1&b=2"),
        Call("add", {"a": 1, "b": "two"}, "GET /add?a=1&b=two"),
    ),
    remark="its page mounted at /ui, beside two endpoints",
)
NICEGUI = Application(
    name="nicegui",
    requirements=("nicegui==3.18.0",),
    expression="with_nicegui:app",
    package="nicegui",
    is_ours=True,
    calls=(
        Call("add", {"a": 1, "b": 2}, "GET /add?a=1&b=2"),
        Call("add", {"a": 1, "b": "two"}, "GET /add?a=1&b=two"),
    ),
    remark="its pages run with the application at /ui, beside two endpoints",
)

APPLICATIONS = (
    TITILER, AIRFLOW, OPEN_WEBUI, DOCLING, MLFLOW, GALAXIUM, LANGFLOW, PREFECT, LITELLM, ZENML, DSTACK, GRADIO, NICEGUI,
)  # fmt: skip
