import com.amazonaws.services.lambda.runtime.Context;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The scenarios of `test/interop/scenarios.ts` in Java, over the calls of the official AWS SDK. */
public final class App {
  private static final Map<String, Durable.Handler> SCENARIOS = Map.ofEntries(
      Map.entry("retry", App::retry),
      Map.entry("failure", App::failure),
      Map.entry("wait", App::pause),
      Map.entry("callback", App::callback),
      Map.entry("child", App::child),
      Map.entry("map", App::map),
      Map.entry("parallel", App::parallel),
      Map.entry("condition", App::condition),
      Map.entry("large", App::large),
      Map.entry("many", App::many),
      Map.entry("crash", App::crash),
      Map.entry("interrupted", App::interrupted),
      Map.entry("chain", App::chain));

  public Map<String, Object> handle(Map<String, Object> event, Context ignored) throws Exception {
    return Durable.run(event, (input, context) -> SCENARIOS.get(input.get("scenario").asText()).handle(input, context));
  }

  private static Object retry(JsonNode event, Durable context) throws Exception {
    return context.step("flaky", 3, attempt -> {
      if (attempt < 2) throw new IllegalStateException("not yet");
      return Map.of("attempt", attempt);
    });
  }

  private static Object failure(JsonNode event, Durable context) throws Exception {
    return context.step("order", 1, attempt -> {
      throw new IllegalStateException("out of stock");
    });
  }

  private static Object pause(JsonNode event, Durable context) {
    context.sleep("pause", 1);
    return "waited";
  }

  private static Object callback(JsonNode event, Durable context) throws Exception {
    return context.callback("approval", callbackId -> note(event, "asked"));
  }

  private static Object child(JsonNode event, Durable context) throws Exception {
    return context.child("room", room -> {
      var found = room.step("look", 1, attempt -> "found");
      room.sleep("rest", 1);
      return found;
    });
  }

  private static Object map(JsonNode event, Durable context) throws Exception {
    var names = new ArrayList<String>();
    var bodies = new ArrayList<Durable.Body>();
    for (var number : event.get("numbers")) {
      names.add("number " + number);
      bodies.add(item -> item.step("double", 1, attempt -> number.asInt() * 2));
    }
    return context.all("numbers", "Map", "MapIteration", names, bodies);
  }

  private static Object parallel(JsonNode event, Durable context) throws Exception {
    return context.all("both", "Parallel", "ParallelBranch", List.of("quick", "slow"), List.of(
        branch -> branch.step("run", 1, attempt -> "hare"),
        branch -> {
          branch.sleep("nap", 1);
          return branch.step("walk", 1, attempt -> "tortoise");
        }));
  }

  private static Object condition(JsonNode event, Durable context) throws Exception {
    return context.condition("third time", IntNode.valueOf(0), IntNode.valueOf(3),
        looks -> IntNode.valueOf(looks.asInt() + 1));
  }

  private static Object large(JsonNode event, Durable context) throws Exception {
    var made = context.step("large", 1, attempt -> "x".repeat(event.get("stepBytes").asInt()));
    context.sleep("pause", 1);
    return Map.of("made", made.asText().length(), "padding", event.get("padding").asText());
  }

  private static Object many(JsonNode event, Durable context) throws Exception {
    var made = 0;
    for (int index = 0; index < event.get("steps").asInt(); index++) {
      var text = context.step("part " + index, 1, attempt -> "x".repeat(event.get("stepBytes").asInt()));
      made += text.asText().length();
    }
    context.sleep("pause", 1);
    return made;
  }

  private static Object crash(JsonNode event, Durable context) throws Exception {
    for (var name : List.of("before", "fatal", "after")) {
      context.step(name, 1, attempt -> {
        if (name.equals("fatal")) exitAtFirst(event);
        else note(event, name);
        return null;
      });
    }
    return "survived";
  }

  private static Object interrupted(JsonNode event, Durable context) throws Exception {
    context.stepAtMostOnce("once", 2, attempt -> {
      exitAtFirst(event);
      return null;
    });
    return "tried again";
  }

  private static Object chain(JsonNode event, Durable context) throws Exception {
    var passed = new ArrayList<Object>(List.of("java"));
    var functions = new ArrayList<JsonNode>();
    event.get("chain").forEach(functions::add);
    if (!functions.isEmpty()) {
      var next = functions.remove(0).asText();
      var input = ((ObjectNode) event).deepCopy();
      input.set("chain", Durable.JSON.valueToTree(functions));
      context.invoke("next", next, input).forEach(passed::add);
    } else if (event.path("fails").asBoolean()) {
      throw new IllegalStateException("out of stock");
    }
    return passed;
  }

  private static void exitAtFirst(JsonNode event) throws IOException {
    note(event, "fatal");
    var runs = Files.readAllLines(ledger(event)).stream().filter("fatal"::equals).count();
    if (runs == 1) Runtime.getRuntime().halt(7);
  }

  private static Path ledger(JsonNode event) {
    return Path.of(event.get("ledger").asText());
  }

  private static void note(JsonNode event, String line) {
    try {
      Files.writeString(ledger(event), line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
