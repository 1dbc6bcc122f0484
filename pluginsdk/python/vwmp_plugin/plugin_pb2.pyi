from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
EFFECT_CLASS_IDEMPOTENT: EffectClass
EFFECT_CLASS_KEYED: EffectClass
EFFECT_CLASS_PURE: EffectClass
EFFECT_CLASS_RECONCILABLE: EffectClass
EFFECT_CLASS_UNSAFE: EffectClass
EFFECT_CLASS_UNSPECIFIED: EffectClass
FAILURE_CLASS_CANCELLED: FailureClass
FAILURE_CLASS_INVALID_INPUT: FailureClass
FAILURE_CLASS_PERMANENT: FailureClass
FAILURE_CLASS_RETRYABLE: FailureClass
FAILURE_CLASS_TIMEOUT: FailureClass
FAILURE_CLASS_UNSPECIFIED: FailureClass
RECONCILE_STATUS_DONE: ReconcileStatus
RECONCILE_STATUS_NOT_STARTED: ReconcileStatus
RECONCILE_STATUS_RUNNING: ReconcileStatus
RECONCILE_STATUS_UNKNOWN: ReconcileStatus
RECONCILE_STATUS_UNSPECIFIED: ReconcileStatus

class Artifact(_message.Message):
    __slots__ = ["media_type", "path", "sha256", "size"]
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    media_type: str
    path: str
    sha256: str
    size: int
    def __init__(self, path: _Optional[str] = ..., size: _Optional[int] = ..., sha256: _Optional[str] = ..., media_type: _Optional[str] = ...) -> None: ...

class CancelRequest(_message.Message):
    __slots__ = ["call_id", "reason"]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    reason: str
    def __init__(self, call_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class CancelResponse(_message.Message):
    __slots__ = ["found"]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    found: bool
    def __init__(self, found: bool = ...) -> None: ...

class Capabilities(_message.Message):
    __slots__ = ["cancel", "checkpoint", "plan", "reconcile", "undo", "validate"]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    RECONCILE_FIELD_NUMBER: _ClassVar[int]
    UNDO_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_FIELD_NUMBER: _ClassVar[int]
    cancel: bool
    checkpoint: bool
    plan: bool
    reconcile: bool
    undo: bool
    validate: bool
    def __init__(self, plan: bool = ..., undo: bool = ..., cancel: bool = ..., checkpoint: bool = ..., reconcile: bool = ..., validate: bool = ...) -> None: ...

class Checkpoint(_message.Message):
    __slots__ = ["data"]
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    def __init__(self, data: _Optional[bytes] = ...) -> None: ...

class ConfigureRequest(_message.Message):
    __slots__ = ["adapter"]
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    adapter: bytes
    def __init__(self, adapter: _Optional[bytes] = ...) -> None: ...

class ConfigureResponse(_message.Message):
    __slots__ = ["problems"]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    problems: _containers.RepeatedCompositeFieldContainer[Problem]
    def __init__(self, problems: _Optional[_Iterable[_Union[Problem, _Mapping]]] = ...) -> None: ...

class DescribeRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class DescribeResponse(_message.Message):
    __slots__ = ["adapter_schema", "author", "build", "description", "handlers", "name", "version", "workflow_types"]
    ADAPTER_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    BUILD_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    HANDLERS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_TYPES_FIELD_NUMBER: _ClassVar[int]
    adapter_schema: bytes
    author: str
    build: str
    description: str
    handlers: _containers.RepeatedCompositeFieldContainer[Handler]
    name: str
    version: str
    workflow_types: _containers.RepeatedCompositeFieldContainer[WorkflowType]
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., author: _Optional[str] = ..., description: _Optional[str] = ..., build: _Optional[str] = ..., adapter_schema: _Optional[bytes] = ..., handlers: _Optional[_Iterable[_Union[Handler, _Mapping]]] = ..., workflow_types: _Optional[_Iterable[_Union[WorkflowType, _Mapping]]] = ...) -> None: ...

class DrainRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class DrainResponse(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Effect(_message.Message):
    __slots__ = ["action", "done", "external_id", "target"]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    action: str
    done: bool
    external_id: str
    target: str
    def __init__(self, action: _Optional[str] = ..., target: _Optional[str] = ..., external_id: _Optional[str] = ..., done: bool = ...) -> None: ...

class ExecuteEvent(_message.Message):
    __slots__ = ["artifact", "checkpoint", "effect", "failure", "heartbeat", "log", "progress", "result", "skipped", "started"]
    ARTIFACT_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    LOG_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    artifact: Artifact
    checkpoint: Checkpoint
    effect: Effect
    failure: Failure
    heartbeat: Heartbeat
    log: Log
    progress: Progress
    result: Result
    skipped: Skipped
    started: Started
    def __init__(self, started: _Optional[_Union[Started, _Mapping]] = ..., log: _Optional[_Union[Log, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., checkpoint: _Optional[_Union[Checkpoint, _Mapping]] = ..., effect: _Optional[_Union[Effect, _Mapping]] = ..., artifact: _Optional[_Union[Artifact, _Mapping]] = ..., result: _Optional[_Union[Result, _Mapping]] = ..., skipped: _Optional[_Union[Skipped, _Mapping]] = ..., failure: _Optional[_Union[Failure, _Mapping]] = ...) -> None: ...

class ExecuteRequest(_message.Message):
    __slots__ = ["call_id", "request"]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    request: Request
    def __init__(self, call_id: _Optional[str] = ..., request: _Optional[_Union[Request, _Mapping]] = ...) -> None: ...

class Failure(_message.Message):
    __slots__ = ["code", "fault", "message", "pointer", "retry_after"]
    CLASS_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    POINTER_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_FIELD_NUMBER: _ClassVar[int]
    code: str
    fault: str
    message: str
    pointer: str
    retry_after: _duration_pb2.Duration
    def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ..., pointer: _Optional[str] = ..., retry_after: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., fault: _Optional[str] = ..., **kwargs) -> None: ...

class Handler(_message.Message):
    __slots__ = ["capabilities", "category", "concurrency", "config_schema", "default_retry", "default_timeout", "description", "effect_class", "example", "icon", "input_schema", "name", "network", "output_schema", "path", "secrets", "ui_hints"]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    CONFIG_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_RETRY_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    EFFECT_CLASS_FIELD_NUMBER: _ClassVar[int]
    EXAMPLE_FIELD_NUMBER: _ClassVar[int]
    ICON_FIELD_NUMBER: _ClassVar[int]
    INPUT_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    SECRETS_FIELD_NUMBER: _ClassVar[int]
    UI_HINTS_FIELD_NUMBER: _ClassVar[int]
    capabilities: Capabilities
    category: str
    concurrency: int
    config_schema: bytes
    default_retry: Retry
    default_timeout: _duration_pb2.Duration
    description: str
    effect_class: EffectClass
    example: bytes
    icon: str
    input_schema: bytes
    name: str
    network: _containers.RepeatedScalarFieldContainer[str]
    output_schema: bytes
    path: str
    secrets: _containers.RepeatedScalarFieldContainer[str]
    ui_hints: bytes
    def __init__(self, path: _Optional[str] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., category: _Optional[str] = ..., icon: _Optional[str] = ..., config_schema: _Optional[bytes] = ..., input_schema: _Optional[bytes] = ..., output_schema: _Optional[bytes] = ..., example: _Optional[bytes] = ..., ui_hints: _Optional[bytes] = ..., effect_class: _Optional[_Union[EffectClass, str]] = ..., capabilities: _Optional[_Union[Capabilities, _Mapping]] = ..., default_timeout: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., default_retry: _Optional[_Union[Retry, _Mapping]] = ..., concurrency: _Optional[int] = ..., secrets: _Optional[_Iterable[str]] = ..., network: _Optional[_Iterable[str]] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Log(_message.Message):
    __slots__ = ["fields", "level", "message", "time"]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    fields: bytes
    level: str
    message: str
    time: _timestamp_pb2.Timestamp
    def __init__(self, time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., level: _Optional[str] = ..., message: _Optional[str] = ..., fields: _Optional[bytes] = ...) -> None: ...

class PlanRequest(_message.Message):
    __slots__ = ["request"]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    request: Request
    def __init__(self, request: _Optional[_Union[Request, _Mapping]] = ...) -> None: ...

class PlanResponse(_message.Message):
    __slots__ = ["effects"]
    EFFECTS_FIELD_NUMBER: _ClassVar[int]
    effects: _containers.RepeatedCompositeFieldContainer[PlannedEffect]
    def __init__(self, effects: _Optional[_Iterable[_Union[PlannedEffect, _Mapping]]] = ...) -> None: ...

class PlannedEffect(_message.Message):
    __slots__ = ["action", "diff", "known", "summary", "target"]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    DIFF_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    action: str
    diff: str
    known: bool
    summary: str
    target: str
    def __init__(self, action: _Optional[str] = ..., target: _Optional[str] = ..., summary: _Optional[str] = ..., diff: _Optional[str] = ..., known: bool = ...) -> None: ...

class Problem(_message.Message):
    __slots__ = ["code", "message", "pointer", "severity", "step_id"]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    POINTER_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    STEP_ID_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    pointer: str
    severity: str
    step_id: str
    def __init__(self, severity: _Optional[str] = ..., pointer: _Optional[str] = ..., step_id: _Optional[str] = ..., code: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ["message", "percentage"]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PERCENTAGE_FIELD_NUMBER: _ClassVar[int]
    message: str
    percentage: float
    def __init__(self, percentage: _Optional[float] = ..., message: _Optional[str] = ...) -> None: ...

class ReconcileRequest(_message.Message):
    __slots__ = ["request"]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    request: Request
    def __init__(self, request: _Optional[_Union[Request, _Mapping]] = ...) -> None: ...

class ReconcileResponse(_message.Message):
    __slots__ = ["detail", "result", "status"]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    detail: str
    result: Result
    status: ReconcileStatus
    def __init__(self, status: _Optional[_Union[ReconcileStatus, str]] = ..., result: _Optional[_Union[Result, _Mapping]] = ..., detail: _Optional[str] = ...) -> None: ...

class Request(_message.Message):
    __slots__ = ["attempt", "boot_epoch", "checkpoint", "config", "deadline", "effects", "execution_id", "handler", "idempotency_key", "item_index", "outputs", "parameters", "secrets", "started_at", "step_id", "step_name", "trace_parent", "trace_state", "workflow_config", "workflow_id", "workflow_name", "workflow_version", "workspace_dir", "workspace_name"]
    class SecretsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    BOOT_EPOCH_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    EFFECTS_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    HANDLER_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    ITEM_INDEX_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    SECRETS_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    STEP_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_NAME_FIELD_NUMBER: _ClassVar[int]
    TRACE_PARENT_FIELD_NUMBER: _ClassVar[int]
    TRACE_STATE_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_CONFIG_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_NAME_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_VERSION_FIELD_NUMBER: _ClassVar[int]
    WORKSPACE_DIR_FIELD_NUMBER: _ClassVar[int]
    WORKSPACE_NAME_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    boot_epoch: int
    checkpoint: bytes
    config: bytes
    deadline: _timestamp_pb2.Timestamp
    effects: _containers.RepeatedCompositeFieldContainer[Effect]
    execution_id: str
    handler: str
    idempotency_key: str
    item_index: int
    outputs: _containers.RepeatedCompositeFieldContainer[StepOutput]
    parameters: bytes
    secrets: _containers.ScalarMap[str, str]
    started_at: _timestamp_pb2.Timestamp
    step_id: str
    step_name: str
    trace_parent: str
    trace_state: str
    workflow_config: bytes
    workflow_id: str
    workflow_name: str
    workflow_version: str
    workspace_dir: str
    workspace_name: str
    def __init__(self, execution_id: _Optional[str] = ..., started_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., workflow_id: _Optional[str] = ..., workflow_name: _Optional[str] = ..., workflow_version: _Optional[str] = ..., step_id: _Optional[str] = ..., step_name: _Optional[str] = ..., handler: _Optional[str] = ..., item_index: _Optional[int] = ..., attempt: _Optional[int] = ..., idempotency_key: _Optional[str] = ..., boot_epoch: _Optional[int] = ..., config: _Optional[bytes] = ..., parameters: _Optional[bytes] = ..., workflow_config: _Optional[bytes] = ..., outputs: _Optional[_Iterable[_Union[StepOutput, _Mapping]]] = ..., workspace_name: _Optional[str] = ..., workspace_dir: _Optional[str] = ..., deadline: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., trace_parent: _Optional[str] = ..., trace_state: _Optional[str] = ..., checkpoint: _Optional[bytes] = ..., effects: _Optional[_Iterable[_Union[Effect, _Mapping]]] = ..., secrets: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Result(_message.Message):
    __slots__ = ["output", "undo_token"]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    UNDO_TOKEN_FIELD_NUMBER: _ClassVar[int]
    output: bytes
    undo_token: bytes
    def __init__(self, output: _Optional[bytes] = ..., undo_token: _Optional[bytes] = ...) -> None: ...

class Retry(_message.Message):
    __slots__ = ["initial_interval", "jitter", "max_attempts", "max_interval", "multiplier"]
    INITIAL_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    JITTER_FIELD_NUMBER: _ClassVar[int]
    MAX_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    MAX_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    MULTIPLIER_FIELD_NUMBER: _ClassVar[int]
    initial_interval: _duration_pb2.Duration
    jitter: float
    max_attempts: int
    max_interval: _duration_pb2.Duration
    multiplier: float
    def __init__(self, max_attempts: _Optional[int] = ..., initial_interval: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., multiplier: _Optional[float] = ..., max_interval: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., jitter: _Optional[float] = ...) -> None: ...

class Skipped(_message.Message):
    __slots__ = ["reason"]
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class Started(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class StepOutput(_message.Message):
    __slots__ = ["output", "step_id"]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    STEP_ID_FIELD_NUMBER: _ClassVar[int]
    output: bytes
    step_id: str
    def __init__(self, step_id: _Optional[str] = ..., output: _Optional[bytes] = ...) -> None: ...

class Template(_message.Message):
    __slots__ = ["description", "document", "name"]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    description: str
    document: str
    name: str
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., document: _Optional[str] = ...) -> None: ...

class UndoEvent(_message.Message):
    __slots__ = ["failure", "heartbeat", "log", "progress", "result"]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    LOG_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    failure: Failure
    heartbeat: Heartbeat
    log: Log
    progress: Progress
    result: Result
    def __init__(self, log: _Optional[_Union[Log, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., result: _Optional[_Union[Result, _Mapping]] = ..., failure: _Optional[_Union[Failure, _Mapping]] = ...) -> None: ...

class UndoRequest(_message.Message):
    __slots__ = ["call_id", "request", "undo_token"]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    UNDO_TOKEN_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    request: Request
    undo_token: bytes
    def __init__(self, call_id: _Optional[str] = ..., request: _Optional[_Union[Request, _Mapping]] = ..., undo_token: _Optional[bytes] = ...) -> None: ...

class ValidateConfigRequest(_message.Message):
    __slots__ = ["config", "handler"]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    HANDLER_FIELD_NUMBER: _ClassVar[int]
    config: bytes
    handler: str
    def __init__(self, handler: _Optional[str] = ..., config: _Optional[bytes] = ...) -> None: ...

class ValidateConfigResponse(_message.Message):
    __slots__ = ["problems"]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    problems: _containers.RepeatedCompositeFieldContainer[Problem]
    def __init__(self, problems: _Optional[_Iterable[_Union[Problem, _Mapping]]] = ...) -> None: ...

class ValidateWorkflowRequest(_message.Message):
    __slots__ = ["document", "workflow_type"]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_TYPE_FIELD_NUMBER: _ClassVar[int]
    document: bytes
    workflow_type: str
    def __init__(self, workflow_type: _Optional[str] = ..., document: _Optional[bytes] = ...) -> None: ...

class ValidateWorkflowResponse(_message.Message):
    __slots__ = ["problems"]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    problems: _containers.RepeatedCompositeFieldContainer[Problem]
    def __init__(self, problems: _Optional[_Iterable[_Union[Problem, _Mapping]]] = ...) -> None: ...

class WorkflowType(_message.Message):
    __slots__ = ["config_schema", "default_step_types", "description", "display_name", "has_rules", "icon", "name", "templates", "version"]
    CONFIG_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_STEP_TYPES_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    HAS_RULES_FIELD_NUMBER: _ClassVar[int]
    ICON_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    config_schema: bytes
    default_step_types: _containers.RepeatedScalarFieldContainer[str]
    description: str
    display_name: str
    has_rules: bool
    icon: str
    name: str
    templates: _containers.RepeatedCompositeFieldContainer[Template]
    version: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., display_name: _Optional[str] = ..., description: _Optional[str] = ..., icon: _Optional[str] = ..., config_schema: _Optional[bytes] = ..., default_step_types: _Optional[_Iterable[str]] = ..., templates: _Optional[_Iterable[_Union[Template, _Mapping]]] = ..., has_rules: bool = ...) -> None: ...

class EffectClass(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class FailureClass(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class ReconcileStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
