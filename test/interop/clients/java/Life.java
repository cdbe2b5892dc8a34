import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.lambda.LambdaClient;
import software.amazon.awssdk.services.lambda.model.CreateFunctionRequest;
import software.amazon.awssdk.services.lambda.model.CreateFunctionResponse;
import software.amazon.awssdk.services.lambda.model.Event;
import software.amazon.awssdk.services.lambda.model.EventType;
import software.amazon.awssdk.services.lambda.model.ExecutionStatus;
import software.amazon.awssdk.services.lambda.model.GetDurableExecutionResponse;
import software.amazon.awssdk.services.lambda.model.InvocationType;
import software.amazon.awssdk.services.lambda.model.InvokeRequest;
import software.amazon.awssdk.services.lambda.model.InvokeResponse;
import software.amazon.awssdk.services.lambda.model.LambdaException;
import software.amazon.awssdk.services.lambda.model.ListDurableExecutionsByFunctionRequest;
import software.amazon.awssdk.services.lambda.model.LogType;

/**
 * The life of a durable function with the AWS SDK for Java: what `test/interop/life.ts` expects, as JSON on the standard
 * output. Arguments: the files of two deployment packages. The endpoint is in `AWS_ENDPOINT_URL_LAMBDA`.
 */
public final class Life {
  private static final String ROLE = "arn:aws:iam::000000000000:role/any";
  private static final String NAME = "orders";
  private static final LambdaClient LAMBDA = LambdaClient.create();
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] files) throws Exception {
    var one = Files.readAllBytes(Path.of(files[0]));
    var two = Files.readAllBytes(Path.of(files[1]));
    var life = new LinkedHashMap<String, Object>();

    Consumer<CreateFunctionRequest.Builder> durable = r ->
        r.durableConfig(c -> c.executionTimeout(600).retentionPeriodInDays(1));
    var waiter = LAMBDA.waiter();
    var created = create(NAME, "index.handler", one, durable);
    waiter.waitUntilFunctionExists(r -> r.functionName(NAME));
    waiter.waitUntilFunctionActiveV2(r -> r.functionName(NAME));
    life.put("created", Map.of(
        "arn", created.functionArn(),
        "version", created.version(),
        "isOne", created.codeSha256().equals(sha256(one)),
        "durable", Map.of(
            "ExecutionTimeout", created.durableConfig().executionTimeout(),
            "RetentionPeriodInDays", created.durableConfig().retentionPeriodInDays())));

    LAMBDA.updateFunctionConfiguration(r -> r.functionName(NAME).timeout(20).description("of orders"));
    waiter.waitUntilFunctionUpdatedV2(r -> r.functionName(NAME));
    LAMBDA.updateFunctionCode(r -> r.functionName(NAME).zipFile(SdkBytes.fromByteArray(two)));
    waiter.waitUntilFunctionUpdatedV2(r -> r.functionName(NAME));
    var updated = LAMBDA.getFunction(r -> r.functionName(NAME)).configuration();
    life.put("updated", Map.of(
        "timeout", updated.timeout(),
        "description", updated.description(),
        "state", updated.stateAsString(),
        "lastUpdate", updated.lastUpdateStatusAsString(),
        "isTwo", updated.codeSha256().equals(sha256(two))));

    var version = LAMBDA.publishVersion(r -> r.functionName(NAME)).version();
    waiter.waitUntilPublishedVersionActive(r -> r.functionName(NAME).qualifier(version));
    var alias = LAMBDA.createAlias(r -> r.functionName(NAME).name("live").functionVersion(version));
    var versions = LAMBDA.listVersionsByFunctionPaginator(r -> r.functionName(NAME).maxItems(1)).versions();
    life.put("published", Map.of(
        "version", version,
        "alias", alias.aliasArn(),
        "versions", versions.stream().map(each -> each.version()).toList()));

    var first = invoke("first", Map.of("name", "Ada"), r -> {});
    life.put("invoked", Map.of(
        "status", first.statusCode(),
        "version", first.executedVersion(),
        "result", answer(first),
        "execution", first.durableExecutionArn()));
    life.put("large", answer(invoke("large", Map.of("name", "Ada", "padding", "p".repeat(5_000_000)), r -> {})));

    var started = start("approved");
    var approved = started.durableExecutionArn();
    var approval = callback(approved);
    LAMBDA.sendDurableExecutionCallbackHeartbeat(r -> r.callbackId(approval));
    LAMBDA.sendDurableExecutionCallbackSuccess(r -> r.callbackId(approval).result(SdkBytes.fromUtf8String("\"Grace\"")));
    var ended = closed(approved);
    life.put("approved", Map.of(
        "accepted", started.statusCode(),
        "status", ended.statusAsString(),
        "result", JSON.readTree(ended.result()),
        "input", JSON.readTree(ended.inputPayload()),
        "seconds", Duration.between(ended.startTimestamp(), ended.endTimestamp()).toMillis() / 1e3,
        "sinceStart", Duration.between(ended.startTimestamp(), Instant.now()).toMillis() / 1e3,
        "history", history(approved).stream().map(Event::eventTypeAsString).toList()));

    var refused = start("refused").durableExecutionArn();
    var toRefuse = callback(refused);
    LAMBDA.sendDurableExecutionCallbackFailure(
        r -> r.callbackId(toRefuse).error(e -> e.errorType("Refused").errorMessage("too dear")));
    var refusal = closed(refused);
    life.put("refused", Map.of("status", refusal.statusAsString(), "message", refusal.error().errorMessage()));

    var stopped = start("stopped").durableExecutionArn();
    callback(stopped);
    LAMBDA.stopDurableExecution(
        r -> r.durableExecutionArn(stopped).error(e -> e.errorType("Operator").errorMessage("enough")));
    var stop = closed(stopped);
    life.put("stopped", Map.of(
        "status", stop.statusAsString(),
        "error", Map.of("ErrorType", stop.error().errorType(), "ErrorMessage", stop.error().errorMessage())));

    life.put("listed", Map.of(
        "all", names(r -> r.reverseOrder(true)),
        "ended", names(r -> r.statuses(ExecutionStatus.FAILED, ExecutionStatus.STOPPED))));

    create("plain", "index.plain", one, r -> {});
    var greeted = greet("Ada");
    var failed = greet("");
    life.put("plain", Map.of(
        "result", answer(greeted),
        "log", new String(Base64.getDecoder().decode(greeted.logResult())),
        "failed", failed.functionError(),
        "error", JSON.readTree(failed.payload().asUtf8String()).get("errorMessage")));

    var refusals = new LinkedHashMap<String, Object>();
    refusals.put("again", refusal(() -> create(NAME, "index.handler", one, durable)));
    refusals.put("unknown", refusal(() -> LAMBDA.getFunction(r -> r.functionName("nobody"))));
    refusals.put("nameTaken", refusal(() -> invoke("first", Map.of("name", "Grace"), r -> {})));
    refusals.put("unqualified", refusal(() -> LAMBDA.invoke(r -> r.functionName(NAME))));
    refusals.put("notJson", refusal(
        () -> LAMBDA.invoke(r -> r.functionName(NAME + ":live").payload(SdkBytes.fromUtf8String("{")))));
    refusals.put("callbackOver", refusal(() -> LAMBDA.sendDurableExecutionCallbackSuccess(r -> r.callbackId(approval))));
    refusals.put("pointedTo", refusal(() -> LAMBDA.deleteFunction(r -> r.functionName(NAME).qualifier(version))));
    refusals.put("changedMeanwhile", refusal(() -> LAMBDA.updateFunctionConfiguration(
        r -> r.functionName(NAME).timeout(9).revisionId(created.revisionId()))));
    life.put("refusals", refusals);

    LAMBDA.deleteAlias(r -> r.functionName(NAME).name("live"));
    LAMBDA.deleteFunction(r -> r.functionName(NAME));
    life.put("deleted", refusal(() -> LAMBDA.getFunction(r -> r.functionName(NAME))));

    System.out.println(JSON.writeValueAsString(life));
  }

  private static CreateFunctionResponse create(
      String name, String handler, byte[] zip, Consumer<CreateFunctionRequest.Builder> more) {
    return LAMBDA.createFunction(r -> {
      r.functionName(name).role(ROLE).runtime("nodejs24.x").handler(handler)
          .code(c -> c.zipFile(SdkBytes.fromByteArray(zip)))
          .environment(e -> e.variables(Map.of("STAGE", "test")));
      more.accept(r);
    });
  }

  private static InvokeResponse invoke(String name, Object event, Consumer<InvokeRequest.Builder> more) {
    return LAMBDA.invoke(r -> {
      r.functionName(NAME + ":live").durableExecutionName(name).payload(json(event));
      more.accept(r);
    });
  }

  private static InvokeResponse start(String name) {
    return invoke(name, Map.of("name", "Ada", "approval", true), r -> r.invocationType(InvocationType.EVENT));
  }

  private static InvokeResponse greet(String name) {
    return LAMBDA.invoke(r -> r.functionName("plain").logType(LogType.TAIL).payload(json(Map.of("name", name))));
  }

  private static List<Event> history(String arn) {
    return LAMBDA.getDurableExecutionHistoryPaginator(r -> r.durableExecutionArn(arn).maxItems(2)).events().stream().toList();
  }

  private static String callback(String arn) throws InterruptedException {
    return until(() -> history(arn).stream()
        .filter(event -> event.eventType() == EventType.CALLBACK_STARTED)
        .map(event -> event.callbackStartedDetails().callbackId())
        .findFirst().orElse(null));
  }

  private static GetDurableExecutionResponse closed(String arn) throws InterruptedException {
    return until(() -> {
      var execution = LAMBDA.getDurableExecution(r -> r.durableExecutionArn(arn));
      return execution.status() == ExecutionStatus.RUNNING ? null : execution;
    });
  }

  private static List<String> names(Consumer<ListDurableExecutionsByFunctionRequest.Builder> more) {
    var pages = LAMBDA.listDurableExecutionsByFunctionPaginator(r -> {
      r.functionName(NAME).qualifier("live").maxItems(2);
      more.accept(r);
    });
    return pages.durableExecutions().stream().map(each -> each.durableExecutionName()).toList();
  }

  private static <T> T until(Supplier<T> look) throws InterruptedException {
    for (int looks = 0; looks < 600; looks++) {
      var found = look.get();
      if (found != null) return found;
      Thread.sleep(50);
    }
    throw new IllegalStateException("it never came");
  }

  /** The class of the exception that a call throws, its status and its text. */
  private static List<Object> refusal(Supplier<Object> call) {
    try {
      call.get();
      return List.of("nothing was thrown", 0, "");
    } catch (LambdaException error) {
      return List.of(error.getClass().getSimpleName(), error.statusCode(), error.awsErrorDetails().errorMessage());
    }
  }

  private static SdkBytes json(Object value) {
    try {
      return SdkBytes.fromByteArray(JSON.writeValueAsBytes(value));
    } catch (IOException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static Object answer(InvokeResponse invoked) throws Exception {
    return JSON.readTree(invoked.payload().asUtf8String());
  }

  private static String sha256(byte[] bytes) throws Exception {
    return Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-256").digest(bytes));
  }
}
