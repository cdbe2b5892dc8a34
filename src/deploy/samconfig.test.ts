/** What is taken from a samconfig, in each form in which SAM lets it be written. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TemplateProblem } from './problem.ts'
import { readSamConfig } from './samconfig.ts'

const parametersOf = (text: string) => Object.fromEntries(readSamConfig(text, 'samconfig.toml').parameters)

test('names, and parameters as a text, a list or a table', () => {
  const config = readSamConfig(
    `version = 0.1
[default.global.parameters]
stack_name = "of all commands"
template_file = "infra/template.yaml"
[default.deploy.parameters]
stack_name = "shop"
region = "eu-north-1"
parameter_overrides = "Stage=dev Name=\\"two words\\" Empty= Url=https://x/?a=b"
`,
    'samconfig.toml',
  )
  assert.deepEqual([config.stackName, config.template], ['shop', 'infra/template.yaml'])
  assert.deepEqual(Object.fromEntries(config.parameters), {
    Stage: 'dev',
    Name: 'two words',
    Empty: '',
    Url: 'https://x/?a=b',
  })
  const list = '[default.deploy.parameters]\nparameter_overrides = ["Stage=dev", "Size=3"]'
  assert.deepEqual(parametersOf(list), { Stage: 'dev', Size: '3' })
  const table = '[default.deploy.parameters.parameter_overrides]\nStage = "dev"\nSize = 3'
  assert.deepEqual(parametersOf(table), { Stage: 'dev', Size: '3' })
})

test('YAML, and another environment', () => {
  const text = 'prod:\n  deploy:\n    parameters:\n      stack_name: shop-prod\n'
  assert.equal(readSamConfig(text, 'samconfig.yaml', 'prod').stackName, 'shop-prod')
  assert.equal(readSamConfig(text, 'samconfig.yaml').stackName, undefined)
})

test('what says nothing of a deployment is nothing', () => {
  for (const text of ['', 'version = 0.1', 'default = 3', '[default]\ndeploy = "x"']) {
    assert.deepEqual(readSamConfig(text, 'samconfig.toml'), { parameters: new Map() })
  }
})

test('a mistake has its place', () => {
  for (const [text, file, place] of [
    ['a = 1\n[x\n', 'samconfig.toml', /^samconfig\.toml:2:\d+: this is not TOML/],
    ['a: [1\n', 'samconfig.yaml', /^samconfig\.yaml:\d+:\d+: this is not YAML/],
  ] as const) {
    assert.throws(
      () => readSamConfig(text, file),
      (error) => error instanceof TemplateProblem && place.test(error.message),
    )
  }
})
