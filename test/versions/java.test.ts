/** A function in Java with the official runtime interface client in its package. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { project } from '../functions/project.ts'
import { serveRegistered } from './serving.ts'

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>test</groupId><artifactId>greeting</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>com.amazonaws</groupId>
      <artifactId>aws-lambda-java-runtime-interface-client</artifactId>
      <version>2.6.0</version>
    </dependency>
  </dependencies>
</project>
`

const source = `import com.amazonaws.services.lambda.runtime.Context;
import java.util.Map;

public class App {
  public String greet(Map<String, Object> event, Context context) {
    if (event.containsKey("fail")) throw new IllegalStateException("on purpose");
    return "hello " + event.get("name") + " from " + context.getFunctionName();
  }
}
`

test('Java: the official client serves a handler', {
  skip: !process.env['CI'] && 'it downloads the client: CI does it',
}, async (t) => {
  const root = project(t, { 'pom.xml': pom, 'App.java': source })
  const run = (command: string, ...args: readonly string[]) =>
    execFileSync(command, args, { cwd: root, stdio: 'ignore' })
  run('mvn', '-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=lib')
  run('javac', '--release', '8', '-cp', 'lib/*', 'App.java')
  const libraries = readdirSync(join(root, 'lib')).map((name) => `lib/${name}`)
  const files = Object.fromEntries(['App.class', ...libraries].map((name) => [name, readFileSync(join(root, name))]))
  const { registered, answer, invoke } = await serveRegistered(t)
  registered.create('f', files, { Runtime: 'java8.al2', Handler: 'App::greet', Timeout: 30 })
  assert.equal(await answer('f', undefined, { name: 'Ada' }), 'hello Ada from f')
  const { 'App.class': app = Buffer.of(), ...shared } = files
  const layer = Object.fromEntries(Object.entries(shared).map(([name, content]) => [`java/${name}`, content]))
  const Layers = [registered.publishLayer('client', layer)]
  registered.create('g', { 'App.class': app }, { Runtime: 'java8.al2', Handler: 'App::greet', Timeout: 30, Layers })
  assert.equal(await answer('g', undefined, { name: 'Bob' }), 'hello Bob from g', 'the client is in a layer')
  const failed = await invoke('f', undefined, { fail: true })
  assert.equal(failed.kind === 'error' && failed.error.ErrorType, 'java.lang.IllegalStateException')
  assert.equal(failed.kind === 'error' && failed.error.ErrorMessage, 'on purpose')
})
