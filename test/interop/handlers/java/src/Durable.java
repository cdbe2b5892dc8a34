import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import software.amazon.awssdk.services.lambda.LambdaClient;
import software.amazon.awssdk.services.lambda.model.ErrorObject;
import software.amazon.awssdk.services.lambda.model.Operation;
import software.amazon.awssdk.services.lambda.model.OperationAction;
import software.amazon.awssdk.services.lambda.model.OperationStatus;
import software.amazon.awssdk.services.lambda.model.OperationType;
import software.amazon.awssdk.services.lambda.model.OperationUpdate;

/**
 * As much of durable execution as the scenarios need, one operation after another, over the calls of the official AWS
 * SDK for Java: it stands where the official durable SDK would, which the registry of the tests does not serve.
 */
final class Durable {
  private static final LambdaClient LAMBDA = LambdaClient.create();
  static final ObjectMapper JSON = new ObjectMapper();

  /** Nothing can be done until the service invokes again. */
  private static final class Suspended extends RuntimeException {}

  static final class Failed extends RuntimeException {
    final ErrorObject error;

    Failed(ErrorObject error) {
      super(error == null ? null : error.errorMessage());
      this.error = error;
    }
  }

  interface Handler {
    Object handle(JsonNode event, Durable context) throws Exception;
  }

  interface Attempt {
    Object run(int attempt) throws Exception;
  }

  interface Body {
    Object run(Durable context) throws Exception;
  }

  interface Check {
    JsonNode look(JsonNode state) throws Exception;
  }

  /** What all contexts of an invocation share. */
  private static final class Execution {
    final String arn;
    final Map<String, Operation> operations = new HashMap<>();
    String token;

    Execution(String arn, String token) {
      this.arn = arn;
      this.token = token;
      var pages = LAMBDA.getDurableExecutionStatePaginator(r -> r.durableExecutionArn(arn).checkpointToken(token));
      pages.operations().forEach(this::take);
    }

    private void take(Operation operation) {
      operations.put(operation.id(), operation);
    }

    void checkpoint(OperationUpdate update) {
      var request = LAMBDA.checkpointDurableExecution(
          r -> r.durableExecutionArn(arn).checkpointToken(token).updates(update));
      token = request.checkpointToken();
      request.newExecutionState().operations().forEach(this::take);
    }
  }

  private final Execution execution;
  private final String id;
  private int operations = 0;

  private Durable(Execution execution, String id) {
    this.execution = execution;
    this.id = id;
  }

  /** Runs the handler as far as it goes, and says what the service is to know of it. */
  static Map<String, Object> run(Map<String, Object> event, Handler handler) throws Exception {
    var execution = new Execution((String) event.get("DurableExecutionArn"), (String) event.get("CheckpointToken"));
    var input = execution.operations.values().stream()
        .filter(operation -> operation.type() == OperationType.EXECUTION)
        .findFirst().orElseThrow().executionDetails().inputPayload();
    try {
      var result = handler.handle(JSON.readTree(input), new Durable(execution, null));
      return Map.of("Status", "SUCCEEDED", "Result", JSON.writeValueAsString(result));
    } catch (Suspended suspended) {
      return Map.of("Status", "PENDING");
    } catch (Exception failure) {
      var error = errorOf(failure);
      return Map.of("Status", "FAILED",
          "Error", Map.of("ErrorType", error.errorType(), "ErrorMessage", error.errorMessage()));
    }
  }

  JsonNode step(String name, int attempts, Attempt body) throws Exception {
    return steps(name, "Step", operation -> attempt(operation, attempts, body));
  }

  /** An attempt that a process took with it has failed, for nobody knows how far it came. */
  JsonNode stepAtMostOnce(String name, int attempts, Attempt body) throws Exception {
    return steps(name, "Step", operation -> attempt(operation, attempts, attempt -> {
      if (operation.interrupted) throw new IllegalStateException("interrupted");
      return body.run(attempt);
    }));
  }

  private static JsonNode attempt(Current operation, int attempts, Attempt body) throws Exception {
    var attempt = 1 + finishedAttempts(operation.known);
    try {
      return operation.succeed(body.run(attempt));
    } catch (Exception failure) {
      if (attempt >= attempts) throw operation.fail(failure);
      throw operation.retry(u -> u.error(errorOf(failure)));
    }
  }

  /** Looks once a second until the state is the one that is waited for. */
  JsonNode condition(String name, JsonNode initial, JsonNode wanted, Check check) throws Exception {
    return steps(name, "WaitForCondition", operation -> {
      var last = operation.known == null || operation.known.stepDetails().result() == null
          ? initial : JSON.readTree(operation.known.stepDetails().result());
      var state = check.look(last);
      if (state.equals(wanted)) return operation.succeed(state);
      throw operation.retry(u -> u.payload(state.toString()));
    });
  }

  private interface Run {
    JsonNode of(Current operation) throws Exception;
  }

  private JsonNode steps(String name, String subType, Run run) throws Exception {
    var operation = next(OperationType.STEP, name, subType);
    var known = operation.known;
    if (known != null) {
      switch (known.status()) {
        case SUCCEEDED: return parse(known.stepDetails().result());
        case FAILED: throw new Failed(known.stepDetails().error());
        case PENDING: throw new Suspended();
        default: break;
      }
    }
    // A step that was begun and not ended, by a process that is gone, is begun.
    operation.interrupted = known != null && known.status() == OperationStatus.STARTED;
    if (!operation.interrupted) operation.start(u -> {});
    return run.of(operation);
  }

  private static int finishedAttempts(Operation known) {
    return known == null || known.stepDetails().attempt() == null ? 0 : known.stepDetails().attempt();
  }

  void sleep(String name, int seconds) {
    var operation = next(OperationType.WAIT, name, "Wait");
    if (operation.known == null) operation.start(u -> u.waitOptions(o -> o.waitSeconds(seconds)));
    if (operation.known.status() != OperationStatus.SUCCEEDED) throw new Suspended();
  }

  JsonNode invoke(String name, String function, Object input) throws Exception {
    var operation = next(OperationType.CHAINED_INVOKE, name, "ChainedInvoke");
    var payload = JSON.writeValueAsString(input);
    if (operation.known == null) {
      operation.start(u -> u.payload(payload).chainedInvokeOptions(o -> o.functionName(function)));
    }
    return switch (operation.known.status()) {
      case SUCCEEDED -> parse(operation.known.chainedInvokeDetails().result());
      case STARTED -> throw new Suspended();
      default -> throw new Failed(operation.known.chainedInvokeDetails().error());
    };
  }

  /** `ask` is told the id with which the callback is to be completed. */
  JsonNode callback(String name, Consumer<String> ask) throws Exception {
    return child(name, "WaitForCallback", context -> {
      var operation = context.next(OperationType.CALLBACK, null, "Callback");
      if (operation.known == null) operation.start(u -> {});
      var callbackId = operation.known.callbackDetails().callbackId();
      context.step(null, 1, attempt -> {
        ask.accept(callbackId);
        return null;
      });
      var answered = context.execution.operations.get(operation.id);
      return switch (answered.status()) {
        case SUCCEEDED -> parse(answered.callbackDetails().result());
        case STARTED -> throw new Suspended();
        default -> throw new Failed(answered.callbackDetails().error());
      };
    });
  }

  JsonNode child(String name, Body body) throws Exception {
    return child(name, "RunInChildContext", body);
  }

  /** Each of the bodies goes as far as it can; the names are theirs. */
  JsonNode all(String name, String subType, String subTypeOfEach, List<String> names, List<Body> bodies)
      throws Exception {
    return child(name, subType, context -> {
      var results = new ArrayList<JsonNode>();
      for (int index = 0; index < bodies.size(); index++) {
        try {
          results.add(context.child(names.get(index), subTypeOfEach, bodies.get(index)));
        } catch (Suspended suspended) {
          // The others may go on.
        }
      }
      if (results.size() < bodies.size()) throw new Suspended();
      return results;
    });
  }

  private JsonNode child(String name, String subType, Body body) throws Exception {
    var operation = next(OperationType.CONTEXT, name, subType);
    if (operation.known == null) {
      operation.start(u -> {});
    } else if (operation.known.status() == OperationStatus.SUCCEEDED) {
      return parse(operation.known.contextDetails().result());
    } else if (operation.known.status() == OperationStatus.FAILED) {
      throw new Failed(operation.known.contextDetails().error());
    }
    try {
      return operation.succeed(body.run(new Durable(execution, operation.id)));
    } catch (Suspended suspended) {
      throw suspended;
    } catch (Exception failure) {
      throw operation.fail(failure);
    }
  }

  private Current next(OperationType type, String name, String subType) {
    operations += 1;
    return new Current(id == null ? String.valueOf(operations) : id + "-" + operations, type, name, subType);
  }

  /** The operation that the handler has come to. */
  private final class Current {
    final String id;
    private final OperationType type;
    private final String name;
    private final String subType;
    /** What the service last said of it; null while it knows nothing of it. */
    Operation known;
    /** An earlier process began an attempt and did not end it. */
    boolean interrupted;

    Current(String id, OperationType type, String name, String subType) {
      this.id = id;
      this.type = type;
      this.name = name;
      this.subType = subType;
      this.known = execution.operations.get(id);
    }

    void send(OperationAction action, Consumer<OperationUpdate.Builder> more) {
      var update = OperationUpdate.builder()
          .id(id).parentId(Durable.this.id).type(type).name(name).subType(subType).action(action);
      more.accept(update);
      execution.checkpoint(update.build());
      known = execution.operations.get(id);
    }

    void start(Consumer<OperationUpdate.Builder> more) {
      send(OperationAction.START, more);
    }

    JsonNode succeed(Object result) throws Exception {
      JsonNode tree = JSON.valueToTree(result);
      send(OperationAction.SUCCEED, u -> u.payload(tree.toString()));
      return tree;
    }

    /** In a second. */
    Suspended retry(Consumer<OperationUpdate.Builder> more) {
      send(OperationAction.RETRY, u -> more.accept(u.stepOptions(o -> o.nextAttemptDelaySeconds(1))));
      return new Suspended();
    }

    Failed fail(Exception failure) {
      var error = errorOf(failure);
      send(OperationAction.FAIL, u -> u.error(error));
      return new Failed(error);
    }
  }

  private static JsonNode parse(String payload) throws Exception {
    return payload == null ? JSON.nullNode() : JSON.readTree(payload);
  }

  private static ErrorObject errorOf(Exception failure) {
    if (failure instanceof Failed failed && failed.error != null) return failed.error;
    var message = String.valueOf(failure.getMessage());
    return ErrorObject.builder().errorType(failure.getClass().getSimpleName()).errorMessage(message).build();
  }
}
