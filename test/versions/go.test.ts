/** A function in Go, which is a `bootstrap` to this server. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { project } from '../functions/project.ts'
import { serveRegistered } from './serving.ts'

const provided = { Runtime: 'provided.al2023', Handler: 'bootstrap' } as const

test('provided: a program in Go', {
  skip: !process.env['CI'] && 'compiling it takes minutes: CI does it',
}, async (t) => {
  const root = project(t, { 'go.mod': 'module bootstrap\n\ngo 1.18\n', 'main.go': goBootstrap })
  execFileSync('go', ['build', '-o', 'bootstrap', '.'], { cwd: root, env: { ...process.env, CGO_ENABLED: '0' } })
  const serving = await serveRegistered(t)
  serving.registered.create('f', { bootstrap: readFileSync(join(root, 'bootstrap')) }, provided)
  assert.deepEqual(await serving.answer('f', undefined, { name: 'Go' }), { greeting: 'hello Go' })
})

const goBootstrap = `package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
)

func main() {
	api := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		next, err := http.Get(api + "next")
		if err != nil {
			panic(err)
		}
		var event struct{ Name string }
		if err := json.NewDecoder(next.Body).Decode(&event); err != nil {
			panic(err)
		}
		next.Body.Close()
		body, _ := json.Marshal(map[string]string{"greeting": "hello " + event.Name})
		answer, err := http.Post(api+next.Header.Get("Lambda-Runtime-Aws-Request-Id")+"/response", "application/json", bytes.NewReader(body))
		if err != nil {
			panic(err)
		}
		answer.Body.Close()
	}
}
`
