/**
 * The rows of the specification's tables that must have a test over HTTP: every transition, check, limit, message and
 * effect of section 4 (the operation state machine) and of sections 5.2–5.6 (checkpoint tokens and state delivery), and
 * what the neighbouring sections on invocations, callbacks, stop and history state in texts, numbers or orders. One id per row or rule; a test carries it in its title, and
 * `tools/row-coverage.ts` compares the two sides. Names are ours and say what holds.
 */

const SECTIONS = {
  '01 §1.0': {
    '01-1.0-encoded': 'labels of a path arrive percent-encoded: an ARN is one segment',
    '01-1.0-raw': 'an ARN may arrive with real slashes and colons',
    '01-1.0-decoded-once': 'a label is decoded once and never normalised',
    '01-1.0-signature': 'signatures are not verified',
    '01-1.0-unknown': 'unknown members are ignored',
    '01-1.0-null': 'a null member is an absent one',
    '01-1.0-seconds': 'timestamps in answers are epoch seconds with at most three decimals',
    '01-1.0-query-timestamps': 'timestamps in query strings are ISO-8601 with any decimals, or epoch seconds',
    '01-1.0-query-booleans': 'booleans in query strings are true or false',
    '01-1.0-query-lists': 'lists in query strings repeat the key',
    '01-1.0-blob': 'a blob is the raw body, whatever its content type',
    '01-1.0-no-error': 'an Error body of {} or none means that no error was given',
    '01-1.0-empty-success': 'an empty success answers 200 with {}',
    '01-1.0-request-id': 'every answer carries a request id of its own',
    '01-1.0-InvalidParameterValueException': '400, message',
    '01-1.0-ValidationException': '400, message',
    '01-1.0-SerializationException': '400, message',
    '01-1.0-CallbackTimeoutException': '400, Message',
    '01-1.0-ResourceNotFoundException': '404, Message',
    '01-1.0-ResourceConflictException': '409, Message',
    '01-1.0-DurableExecutionAlreadyStartedException': '409, Message',
    '01-1.0-TooManyRequestsException': '429, message, Reason and Retry-After',
    '01-1.0-ServiceException': '500, Message, the fault is the service’s',
    '01-1.0-AccessDeniedException': '403, Message',
    '01-1.0-json': 'every error answer is JSON with an x-amzn-ErrorType, also where no operation is known',
    '01-1.0-max-length': 'the text of a violation: length too great',
    '01-1.0-min-length': 'the text of a violation: length too small',
    '01-1.0-max-value': 'the text of a violation: value too great',
    '01-1.0-min-value': 'the text of a violation: value too small',
    '01-1.0-pattern': 'the text of a violation: pattern',
    '01-1.0-enum': 'the text of a violation: enumeration, its element counted from 1',
    '01-1.0-not-null': 'the text of a violation: missing member',
    '01-1.0-several': 'several violations are told together',
    '01-1.0-semantic': 'constraints break as ValidationException, meanings as InvalidParameterValueException',
    '01-1.0-page-size': 'MaxItems is 0 to 1000; 0 and absent mean 100',
    '01-1.0-last-page': 'the last page of a list has no NextMarker',
    '01-1.0-marker-invalid': 'an invalid marker is refused',
    '01-1.0-marker-position': 'a marker is a position that stays valid while the list grows',
  },

  '01 §1.1': {
    '01-1.1-response': 'the answer has CheckpointToken and NewExecutionState.Operations',
    '01-1.1-client-token': 'ClientToken has 1 to 64 visible characters',
    '01-1.1-not-found': 'an unknown execution is a bad token, not a ResourceNotFoundException',
  },

  '01 §1.2': {
    '01-1.2-order': 'operations come in the order of their starts',
    '01-1.2-last-page': 'the last page has an empty NextMarker',
    '01-1.2-token': 'CheckpointToken is required and not consumed',
    '01-1.2-hidden': 'children of completed contexts are left out, unless the context asked for them',
  },

  '01 §1.3': {
    '01-1.3-running': 'the members of a running execution',
    '01-1.3-succeeded': 'Result and EndTimestamp when it succeeded',
    '01-1.3-error': 'Error and EndTimestamp when it failed, timed out or was stopped',
    '01-1.3-default': 'IncludeExecutionData is true by default',
    '01-1.3-without-data': 'without data InputPayload, Result and Error are left out',
    '01-1.3-trace': 'TraceHeader is there when the start brought one',
    '01-1.3-config': 'DurableConfig shows the values frozen at the start',
    '01-1.3-foreign': 'unknown, foreign and malformed ARNs',
  },

  '01 §1.4': {
    '01-1.4-order': 'oldest first; ReverseOrder gives the newest first',
    '01-1.4-default': 'IncludeExecutionData is true by default',
    '01-1.4-foreign': 'unknown, foreign and malformed ARNs',
  },

  '01 §1.5': {
    '01-1.5-members': 'the members of a listed execution',
    '01-1.5-function': 'FunctionName takes every form of a reference',
    '01-1.5-unknown': 'an unknown function is a ResourceNotFoundException',
    '01-1.5-plain': 'a function that is not durable has an empty list',
    '01-1.5-qualifier': 'Qualifier narrows to a version; without one all versions are listed',
    '01-1.5-alias': 'an alias means its version',
    '01-1.5-name': 'DurableExecutionName matches exactly',
    '01-1.5-statuses': 'Statuses filters; PAUSED, PAUSING and DELETING are accepted',
    '01-1.5-statuses-count': 'Statuses has 1 to 10 values',
    '01-1.5-started': 'StartedAfter and StartedBefore are exclusive',
    '01-1.5-order': 'newest first; ReverseOrder gives the oldest first',
    '01-1.5-pages': 'pages hold every execution once',
  },

  '01 §1.6': {
    '01-1.6-stopped': 'a running execution is stopped with the given error',
    '01-1.6-suspended': 'a suspended execution is stopped too',
    '01-1.6-closed': 'a closed execution tells its end time and stays as it is',
    '01-1.6-body': 'the body is an ErrorObject of at most 1048576 bytes',
    '01-1.6-foreign': 'unknown, foreign and malformed ARNs',
  },

  '01 §1.7': {
    '01-1.7-verbatim': 'the bytes of the result are kept as they are',
    '01-1.7-empty': 'an empty body is no result',
    '01-1.7-size': 'a result has at most 1048576 bytes',
    '01-1.7-id': 'CallbackId is base64 of 1 to 1024 characters that the service minted',
  },

  '01 §1.8': {
    '01-1.8-error': 'the error is stored as given',
    '01-1.8-size': 'an error has at most 1048576 bytes',
    '01-1.8-body': 'a body that is no object is a SerializationException',
  },

  '01 §1.9': {
    '01-1.9-heartbeat': 'a heartbeat needs no body and changes nothing that is shown',
    '01-1.9-closed': 'every call on a closed callback is a CallbackTimeoutException',
  },

  '01 §1.10': {
    '01-1.10-closed': 'a closed execution is deleted: 202 with the time of the request',
    '01-1.10-running': 'a running execution is a ResourceConflictException',
    '01-1.10-deleting': 'until the data is gone get and list show DELETING',
    '01-1.10-gone': 'afterwards every call answers as for an unknown execution',
    '01-1.10-name': 'afterwards the name may be used again',
    '01-1.10-again': 'repeated requests are answered alike',
    '01-1.10-children': 'children started by chained invoke stay',
    '01-1.10-logs': 'logs stay',
    '01-1.10-raw-path': 'the ARN may arrive with real slashes',
    '01-1.10-durable': 'an answered deletion survives a crash and is finished',
    '01-1.10-foreign': 'unknown, foreign and malformed ARNs',
  },

  '01 §1.11': {
    '01-1.11-none': 'nothing is throttled by default',
  },

  '04 §4.0': {
    '04-4.0-status': 'a broken rule answers 400 InvalidParameterValueException',
  },

  '04 §4.1': {
    '04-4.1-json': 'a body that is not JSON is a SerializationException',
    '04-4.1-missing': 'a missing required member is a ValidationException at its path',
    '04-4.1-wait-seconds': 'WaitSeconds 0 is a ValidationException',
    '04-4.1-delay-seconds': 'NextAttemptDelaySeconds 0 is a ValidationException',
    '04-4.1-name-length': 'a Name of 257 characters is a ValidationException',
    '04-4.1-action-enum': 'an unknown Action is a ValidationException',
    '04-4.1-pattern': 'an Id outside its pattern is a ValidationException',
    '04-4.1-index': 'the path of a violation counts updates from 1, and several violations are listed together',
    '04-4.1-shape-first': 'the shape is checked before the token',
    '04-4.1-arn-first': 'the execution ARN is checked before the replay',
    '04-4.1-replay-before-token': 'a replay is answered although its token is consumed',
    '04-4.1-replay-before-rules': 'a replay is answered before its updates are looked at',
    '04-4.1-token-before-rules': 'the token is checked before the updates',
    '04-4.1-batch-before-each': 'batch-wide rules come before the rules of each update',
    '04-4.1-in-order': 'updates are checked in order: the first that fails gives the message',
    '04-4.1-parent-before-size': 'the parent is checked before sizes',
    '04-4.1-size-before-action': 'sizes are checked before the permitted actions',
    '04-4.1-action-before-identity': 'permitted actions are checked before identity',
    '04-4.1-identity-before-status': 'identity is checked before the status',
    '04-4.1-rejected': 'a rejected request changes nothing: no update, no event, no consumed token',
    '04-4.1-applied': 'an accepted request applies all updates in order, writes events and mints a token',
    '04-4.1-scratch': 'START and close of a new step in one batch are accepted',
  },

  '04 §4.2': {
    '04-4.2-r1': 'two EXECUTION updates are refused',
    '04-4.2-r2': 'an EXECUTION update that is not the last is refused',
    '04-4.2-r3': 'the same Id twice is refused',
    '04-4.2-pair-STEP-SUCCEED': 'STEP START and SUCCEED may share a batch',
    '04-4.2-pair-STEP-FAIL': 'STEP START and FAIL may share a batch',
    '04-4.2-pair-STEP-RETRY': 'STEP START and RETRY may share a batch',
    '04-4.2-pair-CONTEXT-SUCCEED': 'CONTEXT START and SUCCEED may share a batch',
    '04-4.2-pair-CONTEXT-FAIL': 'CONTEXT START and FAIL may share a batch',
    '04-4.2-start-twice': 'START twice of one id is refused',
    '04-4.2-close-then-start': 'a close followed by a START of the same id is refused',
    '04-4.2-WAIT': 'a WAIT may not be started and cancelled in one batch',
    '04-4.2-CALLBACK': 'a CALLBACK may not appear twice in one batch',
    '04-4.2-CHAINED_INVOKE': 'a CHAINED_INVOKE may not appear twice in one batch',
    '04-4.2-three': 'three updates of one id are refused',
    '04-4.2-empty': 'empty Updates refresh the token and pull changes',
    '04-4.2-absent': 'absent Updates refresh the token and pull changes',
  },

  '04 §4.3': {
    '04-4.3-root': 'without ParentId an operation is a child of the execution',
    '04-4.3-execution': 'the EXECUTION operation is no parent',
    '04-4.3-unknown': 'an unknown parent is refused',
    '04-4.3-not-context': 'an operation that is not a CONTEXT is no parent',
    '04-4.3-existing': 'an existing CONTEXT is a parent',
    '04-4.3-same-batch': 'a CONTEXT started earlier in the batch is a parent',
    '04-4.3-later': 'a CONTEXT started later in the batch is no parent yet',
    '04-4.3-completed': 'a completed parent is accepted: stored, with events, hidden from the state',
    '04-4.3-completed-replaying': 'a child of a completed parent that replays its children is shown',
    '04-4.3-depth': 'nesting has no limit',
    '04-4.3-batch-order': "a child may start after its parent's close in the same batch",
  },

  '04 §4.4': {
    '04-4.4-utf8': 'sizes count UTF-8 bytes',
    '04-4.4-STEP': 'a STEP payload has at most 262144 bytes',
    '04-4.4-CONTEXT': 'a CONTEXT payload has at most 262144 bytes',
    '04-4.4-WAIT-CALLBACK': 'the same limit holds for WAIT and CALLBACK updates',
    '04-4.4-CHAINED_INVOKE': 'the input of a chained invoke has at most 1048576 bytes',
    '04-4.4-EXECUTION-sync': 'the result of an execution started synchronously has at most 6291456 bytes',
    '04-4.4-EXECUTION-async': 'the result of an execution started asynchronously has at most 1048576 bytes',
    '04-4.4-error': 'a serialised Error has less than 32768 bytes',
  },

  '04 §4.5': {
    '04-4.5-EXECUTION': 'EXECUTION permits SUCCEED and FAIL',
    '04-4.5-CONTEXT': 'CONTEXT permits START, SUCCEED and FAIL',
    '04-4.5-STEP': 'STEP permits START, SUCCEED, FAIL and RETRY',
    '04-4.5-WAIT': 'WAIT permits START and CANCEL',
    '04-4.5-CALLBACK': 'CALLBACK permits START',
    '04-4.5-CHAINED_INVOKE': 'CHAINED_INVOKE permits START',
    '04-4.5-unknown-type': 'an unknown Type is a ValidationException',
  },

  '04 §4.6': {
    '04-4.6-type': 'another Type for an id is refused',
    '04-4.6-subtype': 'another SubType for an id is refused',
    '04-4.6-name': 'another Name for an id is refused',
    '04-4.6-parent': 'another ParentId for an id is refused',
    '04-4.6-execution-id': "the EXECUTION operation's id with another Type is refused",
    '04-4.6-absent': 'an update without Name and SubType keeps the stored ones',
  },

  '04 §4.7': {
    '04-4.7-created': 'the service creates the EXECUTION operation, first in every listing',
    '04-4.7-id': "its Id is the last segment of the execution's ARN",
    '04-4.7-SUCCEED': 'SUCCEED records the result, with or without Payload',
    '04-4.7-SUCCEED-error': 'SUCCEED with an Error is refused',
    '04-4.7-FAIL': 'FAIL records the error, or none',
    '04-4.7-FAIL-payload': 'FAIL with a Payload is refused',
    '04-4.7-other': 'any other action is refused',
    '04-4.7-any-id': 'any Id means the execution',
    '04-4.7-event-deferred': 'the terminal event is the last, after InvocationCompleted',
    '04-4.7-token': 'the answer has no CheckpointToken and further checkpoints are refused',
  },

  '04 §4.8': {
    '04-4.8-START': 'START: absent to STARTED, ContextStarted',
    '04-4.8-SUCCEED': 'SUCCEED: STARTED to SUCCEEDED, ContextSucceeded',
    '04-4.8-SUCCEED-error': 'SUCCEED with an Error is refused',
    '04-4.8-FAIL': 'FAIL: STARTED to FAILED, ContextFailed',
    '04-4.8-FAIL-payload': 'FAIL with a Payload is refused',
    '04-4.8-START-existing': 'START of an existing context is refused',
    '04-4.8-close-closed': 'a close from a terminal state is refused',
    '04-4.8-close-absent': 'a close without START creates the context in its final state with one event',
    '04-4.8-replay-children': 'ReplayChildren: the close overrides, absent keeps what START gave, default false',
    '04-4.8-hidden-event': 'descendants of a closed context disappear from InitialExecutionState',
    '04-4.8-hidden-state': 'descendants of a closed context disappear from GetDurableExecutionState',
    '04-4.8-hidden-new': 'descendants of a closed context are not delivered in NewExecutionState',
    '04-4.8-hidden-history': 'hidden descendants stay in the history',
    '04-4.8-hidden-deep': 'hiding is transitive, whatever the flags of the descendants',
    '04-4.8-replayed': 'a closed context with ReplayChildren shows its children; a closed child without hides its own',
  },

  '04 §4.9': {
    '04-4.9-START': 'START: absent or READY to STARTED, StepStarted',
    '04-4.9-START-refused': 'START from any other status is refused',
    '04-4.9-START-members': 'START stores neither Payload nor Error',
    '04-4.9-START-options': 'START with StepOptions is refused',
    '04-4.9-SUCCEED': 'SUCCEED: absent, STARTED or READY to SUCCEEDED, StepSucceeded',
    '04-4.9-SUCCEED-refused': 'SUCCEED from any other status is refused',
    '04-4.9-SUCCEED-error': 'SUCCEED with an Error is refused',
    '04-4.9-SUCCEED-options': 'SUCCEED with StepOptions is refused',
    '04-4.9-FAIL': 'FAIL: absent, STARTED or READY to FAILED, StepFailed',
    '04-4.9-FAIL-refused': 'FAIL from any other status is refused',
    '04-4.9-FAIL-payload': 'FAIL with a Payload is refused',
    '04-4.9-FAIL-options': 'FAIL with StepOptions is refused',
    '04-4.9-RETRY': 'RETRY: absent, STARTED or READY to PENDING; StepFailed with an Error, else StepSucceeded',
    '04-4.9-RETRY-refused': 'RETRY from any other status is refused',
    '04-4.9-RETRY-options': 'RETRY without StepOptions is refused',
    '04-4.9-RETRY-both': 'RETRY with Error and Payload is refused',
    '04-4.9-action': 'any other action is refused',
    '04-4.9-pending': 'a PENDING step is closed for every action',
    '04-4.9-attempt': 'Attempt counts finished attempts',
    '04-4.9-retry-details': 'RETRY sets the next attempt time and replaces result and error',
    '04-4.9-ready': 'after the delay: READY, result and error kept, no event',
    '04-4.9-restart': 'START from READY keeps attempt, result, error and the first start time',
    '04-4.9-close-details': 'a close sets result or error, removes the other, and sets the end time',
    '04-4.9-never-started': 'without a START the start time is the end time',
    '04-4.9-event-details': 'events carry the attempt that ended, and the delay only for RETRY',
    '04-4.9-pattern-at-least-once': 'START and close in one batch, or the close alone later',
    '04-4.9-pattern-at-most-once': 'START in its own request, then the close',
    '04-4.9-pattern-rerun': 'a step found STARTED after a crash closes without a new START',
    '04-4.9-pattern-interrupted': 'a step found STARTED after a crash reports RETRY or FAIL',
    '04-4.9-pattern-ready': 'a step found READY is started again and closed',
    '04-4.9-pattern-pending': 'a PENDING step is polled with empty checkpoints until READY',
    '04-4.9-pattern-condition': 'a polled condition: START, RETRY with its state, and at last SUCCEED',
  },

  '04 §4.10': {
    '04-4.10-START': 'START: absent to STARTED, WaitStarted',
    '04-4.10-START-options': 'START without WaitOptions is refused',
    '04-4.10-START-members': 'START stores neither Payload nor Error',
    '04-4.10-START-existing': 'START of an existing wait is refused',
    '04-4.10-CANCEL': 'CANCEL: STARTED to CANCELLED, WaitCancelled, with or without Error',
    '04-4.10-CANCEL-refused': 'CANCEL of an absent or completed wait is refused',
    '04-4.10-action': 'any other action is refused',
    '04-4.10-timer': 'when due: STARTED to SUCCEEDED, WaitSucceeded',
    '04-4.10-scheduled': 'ScheduledEndTimestamp is now + WaitSeconds and stays; EndTimestamp is the completion',
    '04-4.10-never-early': 'a timer never fires early',
  },

  '04 §4.11': {
    '04-4.11-START': 'START: absent to STARTED with a CallbackId, CallbackStarted',
    '04-4.11-START-existing': 'START of an existing callback is refused',
    '04-4.11-START-payload': 'a Payload of START is ignored',
    '04-4.11-success': 'success: STARTED to SUCCEEDED with the body as result, CallbackSucceeded',
    '04-4.11-failure': 'failure: STARTED to FAILED with the error, CallbackFailed',
    '04-4.11-timeout': 'timeout: STARTED to TIMED_OUT with the service’s error, CallbackTimedOut',
    '04-4.11-heartbeat-timeout': 'heartbeat timeout: STARTED to TIMED_OUT with the service’s error, CallbackTimedOut',
    '04-4.11-heartbeat': 'a heartbeat restarts the heartbeat timer, without an event',
    '04-4.11-id-stays': 'the CallbackId stays in all later states',
    '04-4.11-timers': 'both timers run from the START checkpoint, and the first to be due wins',
    '04-4.11-response': 'the answer to START carries the operation with its CallbackId',
  },

  '04 §4.12': {
    '04-4.12-START': 'START: absent to STARTED, ChainedInvokeStarted',
    '04-4.12-START-fails': 'START of an impossible target: FAILED at once, two events',
    '04-4.12-succeeded': 'target succeeded: SUCCEEDED with its result, ChainedInvokeSucceeded',
    '04-4.12-failed': 'target failed: FAILED with its error, ChainedInvokeFailed',
    '04-4.12-timed-out': 'durable target timed out: TIMED_OUT, ChainedInvokeTimedOut',
    '04-4.12-stopped': 'durable target stopped: STOPPED, ChainedInvokeStopped',
    '04-4.12-options': 'START without ChainedInvokeOptions is refused',
    '04-4.12-existing': 'START of an existing chained invoke is refused',
    '04-4.12-account': 'a function of another account refuses the request',
    '04-4.12-region': 'a function of another region refuses the request',
    '04-4.12-arn': 'a malformed function ARN refuses the request',
    '04-4.12-everything-else': 'anything else wrong with the target fails the operation, not the request',
  },

  '04 §4.13': {
    '04-4.13-one': 'each update emits one event, in batch order, before the answer',
    '04-4.13-chained': 'a chained invoke that fails at once emits two events',
    '04-4.13-execution': 'an EXECUTION update emits its event at the end of the invocation',
  },

  '04 §4.14': {
    '04-4.14-SUCCEEDED': 'EXECUTION: STARTED to SUCCEEDED',
    '04-4.14-FAILED': 'EXECUTION: STARTED to FAILED',
    '04-4.14-TIMED_OUT': 'EXECUTION: timeout to TIMED_OUT',
    '04-4.14-STOPPED': 'EXECUTION: stop to STOPPED',
    '04-4.14-operations':
      'when the execution closes other operations keep their status: nothing follows the terminal event',
    '04-4.14-timers': 'when the execution closes its timers are dropped',
    '04-4.14-callbacks': 'when the execution closes its callbacks are closed',
  },

  '04 §4.15': {
    '04-4.15-start-existing': "START of an operation that exists is the error of the type's START row",
    '04-4.15-succeeded-step': 'SUCCEED of a step already SUCCEEDED is refused',
    '04-4.15-hidden-child': 'an update of a child whose ancestor context is closed is accepted',
    '04-4.15-closed-execution': 'any update after the execution closed is an invalid token',
    '04-4.15-between': 'what finished between two checkpoints is no error and is delivered in NewExecutionState',
  },

  '05 §5.1': {
    '05-5.1-alphabet': 'a token is base64 text of at most 2048 characters',
    '05-5.1-minted': 'a token is minted for each invocation and in each checkpoint answer',
    '05-5.1-current': "one token is current; a new invocation's makes every earlier one stale",
  },

  '05 §5.2': {
    '05-5.2-accepted': 'an accepted checkpoint, also an empty one, consumes its token and returns a new one',
    '05-5.2-rejected': 'a checkpoint rejected by validation leaves its token current',
    '05-5.2-replayed': 'a replay leaves the current token alone and gives the earlier answer',
    '05-5.2-state': 'GetDurableExecutionState needs the current token and does not consume it',
    '05-5.2-invocation-end': 'the token dies with its invocation, whatever its outcome',
    '05-5.2-closed': 'the token dies when the execution closes: stop, timeout, EXECUTION update',
    '05-5.2-concurrent': 'of two concurrent requests with one token and different ClientTokens one wins',
  },

  '05 §5.3': {
    '05-5.3-consumed': 'a consumed token is invalid',
    '05-5.3-superseded': 'the token of an older invocation is invalid',
    '05-5.3-random': 'a random token is invalid',
    '05-5.3-closed': 'the token of a closed execution is invalid',
    '05-5.3-unknown': 'an unknown execution answers as a bad token',
    '05-5.3-malformed': 'a token of malformed content is invalid',
    '05-5.3-foreign': 'a token minted for another execution has its own message',
    '05-5.3-token-pattern': 'a token outside its pattern or length is a ValidationException',
    '05-5.3-arn-pattern': 'an ARN outside its pattern is a ValidationException',
    '05-5.3-casing': 'the message has the casing of the real service by default',
    '05-5.3-js-old': 'JS up to 2.4.0 looks for the capitalised spelling and gets it',
    '05-5.3-js-new': 'JS after its fix compares without case and gets the real spelling',
    '05-5.3-python-old': 'Python up to 2.0.0 looks for the capitalised spelling and gets it',
    '05-5.3-python-new': 'Python from 2.0.1 compares without case and gets the real spelling',
    '05-5.3-java': 'Java before its fix looks for the capitalised spelling and gets it',
    '05-5.3-dotnet': '.NET looks for the capitalised spelling and gets it',
    '05-5.3-rust': 'an SDK that cannot be recognised gets the real spelling, and its FAILED is ignored',
    '05-5.3-go': 'Go looks for the real spelling and gets it',
    '05-5.3-ignored-output': 'the output of an invocation whose execution is closed is ignored, whatever its Status',
  },

  '05 §5.4': {
    '05-5.4-retry': 'a repeated request with the same ClientToken gets the same answer',
    '05-5.4-window': 'the pair is remembered for 15 minutes',
    '05-5.4-any-accepted': 'any checkpoint accepted in the running invocation is replayed, not only the newest',
    '05-5.4-earlier-answer': 'a replay shows the operations as that checkpoint left them',
    '05-5.4-other-token': 'the same ClientToken with another inbound token is an ordinary request',
    '05-5.4-other-client-token': 'the same inbound token with another ClientToken is stale',
    '05-5.4-other-updates': 'the same pair with other Updates gets the stored answer',
    '05-5.4-closing': 'the closing checkpoint is replayed too',
    '05-5.4-none': 'without ClientToken a retry is stale, and the next invocation resumes from the stored state',
    '05-5.4-other-invocation': 'a pair of an earlier invocation is stale',
    '05-5.4-rejected': 'a rejected checkpoint leaves nothing to replay',
  },

  '05 §5.5': {
    '05-5.5-touched': 'the answer shows the operations touched, with all members that the service writes',
    '05-5.5-wait': 'the answer shows waits that completed meanwhile',
    '05-5.5-ready': 'the answer shows steps that became READY meanwhile',
    '05-5.5-callback': 'the answer shows callbacks completed, failed or timed out meanwhile',
    '05-5.5-invoke': 'the answer shows chained invokes that finished meanwhile',
    '05-5.5-once': 'each operation appears once, complete, with its newest state',
    '05-5.5-order': 'operations are in order of creation',
    '05-5.5-since': 'a change is delivered once',
    '05-5.5-execution': 'the EXECUTION operation is left out',
    '05-5.5-lazy': 'whatever is due completes before the answer is built',
    '05-5.5-event-order': "due timers' events come before the events of the request's updates",
    '05-5.5-cheap': 'empty checkpoints are not rate-limited',
    '05-5.5-one-page': 'the answer is one complete page',
  },

  '05 §5.6': {
    '05-5.6-after-execution': 'CheckpointToken is absent after an EXECUTION update',
    '05-5.6-otherwise': 'CheckpointToken is present after every other accepted checkpoint',
    '05-5.6-closed': 'a checkpoint of a closed execution is an error, not an answer without token',
  },

  '05 §5.7': {
    '05-5.7-pages': 'pages in start order hold every operation once',
    '05-5.7-last': 'the last page has an empty NextMarker',
    '05-5.7-token': 'token errors are those of a checkpoint',
    '05-5.7-event-first': 'the event is the first page and its NextMarker leads to the rest',
  },

  '05 §5.8': {
    '05-5.8-updates': 'a request may carry 1000 updates',
    '05-5.8-bytes': 'a request may carry 7 MB',
  },
  '06 §6.3': {
    '06-6.3-succeeded': 'SUCCEEDED: InvocationCompleted, ExecutionSucceeded with the result',
    '06-6.3-failed': 'FAILED: InvocationCompleted with the error, ExecutionFailed with the same',
    '06-6.3-pending': 'PENDING with something pending: InvocationCompleted, then a trigger is awaited',
    '06-6.3-pending-kinds': 'pending are steps PENDING, and waits, callbacks and chained invokes STARTED',
    '06-6.3-crossed': 'PENDING after an answer that carried a completion: invoked once more at once',
    '06-6.3-unseen': 'PENDING with changes that the function has not seen: invoked at once',
    '06-6.3-delivered': 'PENDING with nothing pending after a delivered completion: invoked once more, never failed',
    '06-6.3-nothing': 'PENDING with nothing pending and nothing unseen: FAILED at once',
    '06-6.3-no-status': 'an output without a known Status: FAILED at once',
    '06-6.3-succeeded-error': 'SUCCEEDED with an Error: FAILED',
    '06-6.3-failed-result': 'FAILED with a Result: FAILED with the service’s error',
    '06-6.3-too-large': 'a result above the limit: FAILED',
    '06-6.3-runtime-error': 'a runtime error: InvocationCompleted with Error, and a retry',
    '06-6.3-update-wins': 'an EXECUTION update beats the returned Status, and a crash after it',
  },

  '06 §6.4': {
    '06-6.4-back-off': 'retries back off: 1 s, doubling, at most 60 s',
    '06-6.4-reset': 'an invocation that ends normally resets the back-off',
    '06-6.4-give-up': 'failures for longer than the limit end the execution FAILED with the last error',
    '06-6.4-each': 'each failed invocation writes its own InvocationCompleted with Error',
    '06-6.4-thrown': 'a thrown error is told as the runtime posted it',
    '06-6.4-exit': 'the end of the process is told as Runtime.ExitError',
  },

  '06 §6.5': {
    '06-6.5-one': 'at most one invocation of an execution runs at any time',
    '06-6.5-merged': 'triggers that come due together make one invocation with all changes',
    '06-6.5-each': 'triggers at different times make one invocation each, in order of time',
    '06-6.5-before': 'the event of a completion comes before the invocation that it causes',
    '06-6.5-inbox': 'a completion while an invocation runs is recorded at its next checkpoint or its end',
    '06-6.5-delivered': 'a change delivered by a checkpoint answer is no trigger later',
  },

  '06 §6.6': {
    '06-6.6-history': 'the history is complete when the waiting caller is answered',
    '06-6.6-terminal-last': 'after stop or timeout no event follows the terminal one',
  },

  '07 §7.1': {
    '07-7.1-qualifier-conflict': 'a qualifier in the name and another one in Qualifier are refused',
    '07-7.1-forms': 'every form of a function reference is taken',
    '07-7.1-unknown': 'an unknown function, version or alias is a ResourceNotFoundException',
    '07-7.1-elsewhere': 'functions of another region or account have their own errors',
    '07-7.1-name-pattern': 'a malformed reference is a ValidationException',
    '07-7.1-unqualified': 'a durable function without qualifier is refused, also by a dry run',
    '07-7.1-lenient': 'an option takes an unqualified reference as $LATEST',
    '07-7.1-alias': 'an alias is resolved once, at the start',
    '07-7.1-dry-run': 'a dry run answers 204 and starts nothing',
    '07-7.1-type': 'unknown invocation and log types are ValidationExceptions',
    '07-7.1-json': 'a payload that is not JSON is an InvalidRequestContentException',
    '07-7.1-any-json': 'a payload may be any JSON and is kept as it came; none means {}',
    '07-7.1-size': 'a payload has at most 6291456 bytes, asynchronously 1048576',
    '07-7.1-tenant': 'a tenant id is given if and only if the function isolates tenants',
  },

  '07 §7.2': {
    '07-7.2-name': 'a name has 1 to 64 letters, digits, hyphens and underscores, and is in the ARN',
    '07-7.2-generated': 'without a name a UUID is generated and used as the name',
    '07-7.2-header': 'the ARN is in the answer: success, function error and Event',
    '07-7.2-plain': 'a function that is not durable takes no execution name',
  },

  '07 §7.3': {
    '07-7.3-none': 'no execution of that name: a new one',
    '07-7.3-running-identical': 'running, identical payload: the existing one',
    '07-7.3-running-different': 'running, different payload: conflict',
    '07-7.3-closed-identical': 'closed, identical payload: its stored outcome',
    '07-7.3-closed-different': 'closed, different payload: conflict',
    '07-7.3-scope': 'names are unique per function',
    '07-7.3-version': 'another version of the function is a conflict',
    '07-7.3-bytes': 'payloads are compared as bytes',
    '07-7.3-empty': 'an empty payload equals an empty one',
    '07-7.3-unnamed': 'unnamed invocations never collide',
    '07-7.3-others': 'type, headers and trace take no part in the comparison',
    '07-7.3-retention': 'a name may be used again when the retention is over',
  },

  '07 §7.4': {
    '07-7.4-timeout': 'an ExecutionTimeout above 15 minutes cannot be invoked synchronously',
    '07-7.4-suspension': 'the caller is answered across suspensions',
    '07-7.4-disconnect': 'the execution goes on without its caller',
    '07-7.4-SUCCEEDED': 'SUCCEEDED: 200 with the result verbatim, version and ARN',
    '07-7.4-no-result': 'SUCCEEDED without result: null',
    '07-7.4-FAILED': 'FAILED: 200, a function error with the members that there are',
    '07-7.4-TIMED_OUT': 'TIMED_OUT: 200, a function error',
    '07-7.4-STOPPED': 'STOPPED: 200, a function error with the stop error',
    '07-7.4-log': 'LogType Tail: the end of the log of the last invocation',
    '07-7.4-checkpointed': 'a result given by an EXECUTION checkpoint is answered',
    '07-7.4-restart': 'a caller who tries again after a restart is attached to the same execution',
  },

  '07 §7.5': {
    '07-7.5-answer': '202 with an empty body and the ARN; the execution is there',
    '07-7.5-timeout': 'ExecutionTimeout may be 366 days',
    '07-7.5-result': 'a result has at most 1048576 bytes',
    '07-7.5-no-retry': 'a failed execution is not started again',
    '07-7.5-durable': 'an accepted start survives a crash',
  },

  '07 §7.6': {
    '07-7.6-forms': 'FunctionName takes every form of a reference',
    '07-7.6-elsewhere': 'another account or region refuses the request',
    '07-7.6-unknown': 'an unknown function, version or alias fails the operation at once',
    '07-7.6-unqualified': 'a durable target without qualifier fails the operation at once',
    '07-7.6-lenient': 'an option takes an unqualified durable target as $LATEST',
    '07-7.6-plain-payload': 'a plain target without payload gets {}; its body is the result',
    '07-7.6-plain-error': 'a function error fails the operation with its members',
    '07-7.6-plain-once': 'a function error is not retried',
    '07-7.6-plain-timeout': 'a target that times out fails as Sandbox.Timedout',
    '07-7.6-plain-size': 'a body above 1048576 bytes fails the operation',
    '07-7.6-plain-utf8': 'a body that is not UTF-8 fails the operation',
    '07-7.6-plain-version': 'a plain target needs no qualifier, and its version is told',
    '07-7.6-child': 'a durable target is an execution of its own with a generated name',
    '07-7.6-child-timeout': 'its ExecutionTimeout may exceed 15 minutes',
    '07-7.6-texts': 'payloads and results pass through as texts',
    '07-7.6-SUCCEEDED': 'the child succeeded: its result',
    '07-7.6-FAILED': 'the child failed: its error',
    '07-7.6-TIMED_OUT': 'the child timed out: ChainedInvoke.Timeout',
    '07-7.6-STOPPED': 'the child was stopped: the stop error',
    '07-7.6-child-size': 'a child result above 1048576 bytes fails the child',
    '07-7.6-parent-closed': 'children of a closed parent go on and their results are dropped',
    '07-7.6-closing-batch': 'a chained invoke in the closing batch still runs',
    '07-7.6-tenant': 'TenantId is the tenant of the target and in its event',
    '07-7.6-tenant-missing': 'a target that isolates tenants needs a TenantId',
    '07-7.6-tenant-unwanted': 'a target that does not takes none',
    '07-7.6-tenant-not-inherited': 'the parent’s tenant is not inherited',
  },

  '07 §7.7': {
    '07-7.7-sync': 'RequestResponse: the body, version and log tail',
    '07-7.7-error': 'a function error answers 200 with X-Amz-Function-Error',
    '07-7.7-event': 'Event: 202, and it runs',
    '07-7.7-durable': 'an accepted Event survives a crash',
    '07-7.7-retries': 'a failed Event is tried again after one and two minutes, and no more',
    '07-7.7-dry-run': 'DryRun: 204',
    '07-7.7-queue': 'callers beyond the queue of a function get 429 with its reason',
  },

  'decision 19': {
    'd19-start': 'a repeated client call attaches to the execution it started',
    'd19-window': 'for 15 minutes',
    'd19-sync': 'all of its callers are answered',
    'd19-restart': 'also across a crash',
    'd19-callback': 'a repeated callback completion gets the same answer',
  },

  '08 §8.1': {
    '08-8.1-SUCCEEDED': 'SUCCEEDED: the result, ExecutionSucceeded last',
    '08-8.1-FAILED': 'FAILED: the error, ExecutionFailed last',
    '08-8.1-TIMED_OUT': 'TIMED_OUT: the service’s error, ExecutionTimedOut without details last',
    '08-8.1-STOPPED': 'STOPPED: the stop error, ExecutionStopped last',
    '08-8.1-final': 'a terminal status never changes',
    '08-8.1-suspended': 'a suspended execution is RUNNING',
  },

  '08 §8.2': {
    '08-8.2-deadline':
      'at the deadline: TIMED_OUT, timers dropped, callbacks closed, tokens invalid, code not interrupted',
    '08-8.2-frozen': 'the timeout is frozen at the start',
  },

  '08 §8.3': {
    '08-8.3-unknown': 'stopping an unknown execution is a ResourceNotFoundException',
    '08-8.3-idempotent': 'stopping a closed execution changes nothing and tells its end time',
    '08-8.3-no-error': 'a stop without error stores an empty one',
    '08-8.3-waiter': 'a waiting caller gets a function error',
  },

  '08 §8.4': {
    '08-8.4-wait': 'WAIT: at its end SUCCEEDED with the requested seconds',
    '08-8.4-retry': 'STEP retry: READY, no event',
    '08-8.4-callback': 'callback timeout: TIMED_OUT',
    '08-8.4-heartbeat': 'heartbeat timeout: TIMED_OUT, counted from the last heartbeat',
    '08-8.4-none': 'without timeouts, or with 0, a callback waits',
    '08-8.4-invocation': 'invocation retry: after its back-off',
    '08-8.4-long': 'a timer may be longer than 24.8 days',
  },

  '08 §8.5': {
    '08-8.5-anywhere': 'whoever has the id may complete the callback',
    '08-8.5-no-heartbeat-timeout': 'a heartbeat without heartbeat timeout is accepted and has no effect',
    '08-8.5-user-error': 'error types are the user’s',
    '08-8.5-first-wins': 'the first completion of a callback wins',
    '08-8.5-malformed': 'an id that the service did not mint is an invalid callback id',
    '08-8.5-unknown': 'a well-formed id of nothing answers as a closed callback',
    '08-8.5-forged': 'an id with another secret answers as a closed callback',
    '08-8.5-while-running': 'a callback may complete while the invocation that created it runs',
    '08-8.5-failure-body': 'a failure whose body is no object is a SerializationException',
    '08-8.5-sizes': 'results and errors of callbacks have at most 1048576 bytes',
  },

  '08 §8.6': {
    '08-8.6-gone': 'when the retention is over every call answers as for an unknown execution',
    '08-8.6-from-end': 'the retention counts from the end',
  },

  '08 §8.7': {
    '08-8.7-sync': 'input and result of a synchronous execution, configurable',
    '08-8.7-async': 'input and result of an asynchronous execution, configurable',
    '08-8.7-operation': 'payload of an update, configurable',
    '08-8.7-chained': 'input of a chained invoke, configurable',
    '08-8.7-callback': 'result and error of a callback, configurable',
    '08-8.7-error': 'error of an update, configurable',
    '08-8.7-ids': 'operation id, name and subtype have 64, 256 and 32 characters',
  },

  '08 §8.14': {
    '08-8.14-not-enforced': '3,000 operations are not enforced by default',
    '08-8.14-operations': 'operations per execution may be limited',
    '08-8.14-storage': 'payload bytes per execution may be limited',
    '08-8.14-retry': 'invocations are retried after 1 s, doubling, at most 60 s',
    '08-8.14-retention': 'the default retention may be changed',
    '08-8.14-sweep': 'an hourly sweep removes what has expired',
  },

  '09 §9.5': {
    '09-9.5-alphabet': 'a callback id survives naive clients: hexadecimal, unescaped in the path',
  },

  '11 §11.1': {
    '11-11.1-numbers': 'EventIds count from 1 without gaps in the order of recording',
    '11-11.1-invocation': 'every invocation ends with one InvocationCompleted',
  },

  '11 §11.3': {
    '11-11.3-without-data': 'without execution data payloads are left out, and nothing else',
  },

  '11 §11.4': {
    '11-11.4-full-pages': 'pages are full up to MaxItems, 100 by default',
    '11-11.4-no-empty-page': 'no marker leads to an empty page',
    '11-11.4-marker-stays': 'a marker stays valid while the history grows',
    '11-11.4-reverse': 'ReverseOrder tells the newest first',
    '11-11.4-marker-invalid': 'an invalid marker is refused',
  },
} as const

type Sections = typeof SECTIONS
type KeyOfEach<U> = U extends unknown ? keyof U : never

export type RowId = KeyOfEach<Sections[keyof Sections]>

export interface Row {
  readonly id: RowId
  /** File and section of the specification. */
  readonly section: string
  readonly name: string
}

export const ROWS: readonly Row[] = Object.entries(SECTIONS).flatMap(([section, rows]) =>
  Object.entries(rows).map(([id, name]) => ({ id: id as RowId, section, name })),
)

const byId = new Map<string, Row>(ROWS.map((row) => [row.id, row]))

/** The row of an id; throws for an id without a row, which the type checker refuses too. */
export function rowOf(id: RowId): Row {
  const row = byId.get(id)
  if (row === undefined) throw new Error(`no row ${id} in test/tables/rows.ts`)
  return row
}
