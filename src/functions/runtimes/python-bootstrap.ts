/**
 * What runs a Python handler where the official client is not installed: the same loop over the Runtime API, with its
 * error types and texts (spec 10 §10.1), its context object and its format of log lines. It needs nothing but Python
 * and is text here so that it is in every build.
 *
 * As the Node bootstrap it ends with its group when descriptor 3, the line to the server, reaches its end.
 */
export const pythonBootstrap = String.raw`
import decimal
import http.client
import importlib
import json
import logging
import os
import signal
import sys
import threading
import time
import traceback


class Fault(Exception):
    """A failure that is the runtime's finding, under the name that the official client gives it."""

    def __init__(self, error_type, message, trace=()):
        super().__init__(message)
        self.error_type = error_type
        self.trace = list(trace)


class RuntimeClient:
    def __init__(self, authority):
        self._authority = authority
        self._connection = http.client.HTTPConnection(authority)

    def next(self):
        response = self._call("GET", "invocation/next")
        if response.status != 200:
            raise RuntimeError("the next invocation was refused: %d" % response.status)
        return response.headers, response.body

    def respond(self, request_id, body):
        self._call("POST", "invocation/%s/response" % request_id, body, usage())

    def fail(self, request_id, error):
        self._post_error("invocation/%s/error" % request_id, error)

    def fail_init(self, error):
        self._post_error("init/error", error)

    def _post_error(self, path, error):
        headers = {"Lambda-Runtime-Function-Error-Type": error["errorType"].encode("ascii", "replace").decode()}
        self._call("POST", path, to_json(error).encode("utf-8", "replace"), {**headers, **usage()})

    def _call(self, method, path, body=None, headers=None):
        headers = {"Content-Type": "application/json", **(headers or {})}
        self._connection.request(method, "/2018-06-01/runtime/" + path, body, headers)
        response = self._connection.getresponse()
        response.body = response.read()
        return response


class Members:
    """What the invoking client says about itself, by attribute."""

    def __init__(self, values, names):
        for name, key in names.items():
            setattr(self, name, (values or {}).get(key))


class Context:
    def __init__(self, headers):
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.tenant_id = headers.get("Lambda-Runtime-Aws-Tenant-Id")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.client_context = client_context_of(headers.get("Lambda-Runtime-Client-Context"))
        identity = json.loads(headers.get("Lambda-Runtime-Cognito-Identity") or "{}")
        self.identity = Members(
            identity,
            {"cognito_identity_id": "cognitoIdentityId", "cognito_identity_pool_id": "cognitoIdentityPoolId"},
        )
        self._deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self):
        return max(self._deadline_ms - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))


def client_context_of(text):
    if not text:
        return None
    values = json.loads(text)
    context = Members(values, {"custom": "custom", "env": "env", "client": "client"})
    if context.client:
        names = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")
        context.client = Members(context.client, {name: name for name in names})
    return context


def usage():
    """For the REPORT line; an extension that the server does not depend on."""
    try:
        import resource
    except ImportError:
        return {}
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"Perdure-Max-Rss-Kb": str(used // 1024 if sys.platform == "darwin" else used)}


def to_json(value):
    def other(given):
        if isinstance(given, decimal.Decimal):
            return float(given)
        raise TypeError("Object of type %s is not JSON serializable" % type(given).__name__)

    return json.dumps(value, ensure_ascii=False, default=other)


def load_handler(handler):
    try:
        module_name, function_name = handler.rsplit(".", 1)
    except ValueError as error:
        raise Fault("Runtime.MalformedHandlerName", "Bad handler '%s': %s" % (handler, error)) from None
    if module_name.split(".")[0] in sys.builtin_module_names:
        message = "Cannot use built-in module %s as a handler module" % module_name
        raise Fault("Runtime.BuiltInModuleConflict", message)
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        message = "Unable to import module '%s': %s" % (module_name, error)
        raise Fault("Runtime.ImportModuleError", message, trace_of(error)) from None
    except SyntaxError as error:
        place = ['  File "%s" Line %s\n    %s' % (error.filename, error.lineno, error.text)]
        message = "Syntax error in module '%s': %s" % (module_name, error)
        raise Fault("Runtime.UserCodeSyntaxError", message, place) from None
    try:
        return getattr(module, function_name)
    except AttributeError:
        message = "Handler '%s' missing on module '%s'" % (function_name, module_name)
        raise Fault("Runtime.HandlerNotFound", message) from None


def trace_of(error):
    """The frames of the user's own code."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename != __file__ and "importlib" not in frame.filename]
    return traceback.format_list(own)


def error_of(error, request_id):
    fault = isinstance(error, Fault)
    return {
        "errorMessage": str(error),
        "errorType": error.error_type if fault else type(error).__name__,
        "requestId": request_id,
        "stackTrace": error.trace if fault else trace_of(error),
    }


def report(error):
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
        line = {"timestamp": timestamp(time.time()), "level": "ERROR", "message": error["errorMessage"]}
        line.update((name, error[name]) for name in ("errorType", "errorMessage", "stackTrace", "requestId") if error[name])
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
        return
    lines = "[ERROR] %s: %s" % (error["errorType"], error["errorMessage"])
    if error["stackTrace"]:
        lines += "\nTraceback (most recent call last):\n" + "".join(error["stackTrace"]).rstrip("\n")
    sys.stdout.write(lines + "\n")


def timestamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


current_request_id = ""


class RequestFilter(logging.Filter):
    def filter(self, record):
        record.aws_request_id = current_request_id
        return True


class JsonFormatter(logging.Formatter):
    def format(self, record):
        line = {
            "timestamp": timestamp(record.created),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
        }
        if record.exc_info:
            line["errorType"] = record.exc_info[0].__name__
            line["errorMessage"] = str(record.exc_info[1])
            line["stackTrace"] = traceback.format_tb(record.exc_info[2])
        if record.aws_request_id:
            line["requestId"] = record.aws_request_id
        return json.dumps(line, ensure_ascii=False, default=str)


def set_up_logging():
    root = logging.getLogger()
    handler = logging.StreamHandler(sys.stdout)
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
        handler.setFormatter(JsonFormatter())
        level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "INFO")
        root.setLevel({"TRACE": "DEBUG", "FATAL": "CRITICAL"}.get(level, level))
    else:
        formatter = logging.Formatter(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
        )
        formatter.converter = time.gmtime
        handler.setFormatter(formatter)
    handler.addFilter(RequestFilter())
    root.addHandler(handler)


def end_with_server():
    try:
        while os.read(3, 4096):
            pass
    except OSError:
        pass
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def serve(client, handler):
    global current_request_id
    headers, body = client.next()
    request_id = headers["Lambda-Runtime-Aws-Request-Id"]
    current_request_id = request_id
    os.environ["_X_AMZN_TRACE_ID"] = headers.get("Lambda-Runtime-Trace-Id") or ""
    try:
        try:
            event = json.loads(body)
        except ValueError as error:
            raise Fault("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error) from None
        result = handler(event, Context(headers))
        try:
            answer = to_json(result).encode("utf-8")
        except (TypeError, ValueError) as error:
            raise Fault("Runtime.MarshalError", "Unable to marshal response: %s" % error) from None
    except Exception as error:
        failure = error_of(error, request_id)
        report(failure)
        sys.stdout.flush()
        client.fail(request_id, failure)
        return
    sys.stdout.flush()
    client.respond(request_id, answer)


def main():
    os.set_inheritable(3, False)
    threading.Thread(target=end_with_server, daemon=True).start()
    # The folder of this file is nobody's business; the function's own takes its place.
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    client = RuntimeClient(os.environ["AWS_LAMBDA_RUNTIME_API"])
    set_up_logging()
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except Exception as error:
        failure = error_of(error, "")
        report(failure)
        sys.stdout.flush()
        client.fail_init(failure)
        sys.exit(1)
    while True:
        serve(client, handler)


if __name__ == "__main__":
    main()
`.trimStart()
