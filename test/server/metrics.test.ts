/** What `/metrics` says: the format, the figures after known work, the documents about it, and what measuring costs. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { prometheusText } from '../../src/server/prometheus-text.ts'
import { RequestFigures } from '../../src/server/request-figures.ts'
import { systemStopwatch } from '../../src/service/clock-adapters.ts'
import { METRICS, type MetricName } from '../../src/service/metric-table.ts'
import { MAX_SERIES, MetricRegistry } from '../../src/service/metrics.ts'
import { startPerdureProcess } from '../start-perdure.ts'
import { RawClient, requestText } from './raw-socket.ts'
import { startServer } from './stand-ins.ts'

const root = join(import.meta.dirname, '../..')
const registry = (): MetricRegistry => new MetricRegistry(() => 0)
const linesOf = (metrics: MetricRegistry): string[] => prometheusText(metrics.families()).trimEnd().split('\n')

/** Samples by `name{labels}`. */
function samplesOf(text: string): ReadonlyMap<string, number> {
  const samples = new Map<string, number>()
  for (const line of text.trimEnd().split('\n')) {
    if (line.startsWith('#')) {
      assert.match(line, /^# (HELP|TYPE) [a-z_0-9]+ \S/)
      continue
    }
    const match = /^([a-z_0-9]+(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+\})?) (-?[0-9.e+-]+|NaN|[+-]Inf)$/.exec(line)
    assert.ok(match, `no sample: ${line}`)
    const [, key = '', value] = match
    assert.ok(!samples.has(key), `twice: ${key}`)
    samples.set(key, Number(value))
  }
  return samples
}

/** The metric that a sample or an expression names. */
function metricOf(name: string): MetricName | undefined {
  const base = name in METRICS ? name : name.replace(/_(bucket|sum|count)$/, '')
  return base in METRICS ? (base as MetricName) : undefined
}

describe('the text format', () => {
  test('a counter has one line per label values, after its help and type', () => {
    const metrics = registry()
    metrics.counter('perdure_executions_ended_total', 'orders', 'FAILED').add()
    metrics.counter('perdure_executions_ended_total', 'orders', 'FAILED').add(2)
    assert.deepEqual(linesOf(metrics), [
      '# HELP perdure_executions_ended_total Executions ended, by how: SUCCEEDED, FAILED, TIMED_OUT or STOPPED.',
      '# TYPE perdure_executions_ended_total counter',
      'perdure_executions_ended_total{function="orders",status="FAILED"} 3',
    ])
  })

  test('buckets of a histogram are cumulative and their bounds inclusive', () => {
    const metrics = registry()
    const items = metrics.histogram('perdure_store_batch_items')
    for (const value of [1, 2, 3, 5_000]) items.observe(value)
    const samples = samplesOf(prometheusText(metrics.families()))
    assert.equal(samples.get('perdure_store_batch_items_bucket{le="1"}'), 1)
    assert.equal(samples.get('perdure_store_batch_items_bucket{le="2"}'), 2)
    assert.equal(samples.get('perdure_store_batch_items_bucket{le="4"}'), 3)
    assert.equal(samples.get('perdure_store_batch_items_bucket{le="1024"}'), 3)
    assert.equal(samples.get('perdure_store_batch_items_bucket{le="+Inf"}'), 4)
    assert.equal(samples.get('perdure_store_batch_items_count'), 4)
    assert.equal(samples.get('perdure_store_batch_items_sum'), 5_006)
  })

  test('a gauge is read when somebody asks, and equal labels are added up', () => {
    const metrics = registry()
    let size = 1
    metrics.read('perdure_ready_jobs', () => [
      { labels: ['orders'], value: size },
      { labels: ['orders'], value: 10 },
    ])
    metrics.read('perdure_store_wal_bytes', () => undefined)
    size = 2
    assert.equal(linesOf(metrics).at(-1), 'perdure_ready_jobs{function="orders"} 12')
    assert.ok(!prometheusText(metrics.families()).includes('wal'))
  })

  test('label values are escaped', () => {
    const metrics = registry()
    metrics.counter('perdure_executions_started_total', 'a"b\\c\nd').add()
    assert.equal(linesOf(metrics).at(-1), 'perdure_executions_started_total{function="a\\"b\\\\c\\nd"} 1')
  })

  test('however many label values there are, the series are bounded and nothing is lost', () => {
    const metrics = registry()
    for (let i = 0; i < 3 * MAX_SERIES; i++) metrics.counter('perdure_executions_started_total', `f${i}`).add()
    const samples = samplesOf(prometheusText(metrics.families()))
    assert.equal(samples.size, MAX_SERIES + 1)
    assert.equal(samples.get('perdure_executions_started_total{function="other"}'), 2 * MAX_SERIES)
  })
})

describe('the figures', () => {
  test('[08 §8.9] of one execution on a server with a database', async (t) => {
    const data = await mkdtemp(join(tmpdir(), 'perdure-metrics-'))
    const server = await startPerdureProcess({
      data,
      clock: 'skip',
      functions: [{ name: 'hello', file: join(root, 'examples/hello.ts') }],
    })
    t.after(async () => {
      await server.stop()
      await rm(data, { recursive: true })
    })
    const path = '/2015-03-31/functions/hello:$LATEST/invocations'
    const answer = await fetch(`${server.endpoint}${path}`, { method: 'POST', body: '{"name":"Ada"}' })
    assert.equal(answer.status, 200, await answer.text())
    assert.equal((await fetch(`${server.endpoint}/nowhere`)).status, 404)

    const scraped = await fetch(`${server.endpoint}/metrics`)
    assert.equal(scraped.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
    const samples = samplesOf(await scraped.text())
    const value = (name: string): number => samples.get(name) ?? Number.NaN
    assert.equal(value('perdure_executions_started_total{function="hello"}'), 1)
    assert.equal(value('perdure_executions_ended_total{function="hello",status="SUCCEEDED"}'), 1)
    assert.equal(value('perdure_executions_running{function="hello"}'), 0)
    assert.equal(value('perdure_execution_duration_seconds_count{function="hello"}'), 1)
    assert.ok(value('perdure_execution_operations_sum{function="hello"}') > 1)
    assert.ok(value('perdure_execution_stored_bytes_sum{function="hello"}') > 0)
    assert.equal(value('perdure_invocations_total{function="hello",outcome="response"}'), 2)
    assert.equal(value('perdure_ready_wait_seconds_count{function="hello"}'), 2)
    const checkpoints = value('perdure_checkpoint_duration_seconds_count')
    assert.ok(checkpoints > 0)
    const answered = 'perdure_http_requests_total{operation="CheckpointDurableExecution",status="200"}'
    assert.equal(value(answered), checkpoints)
    assert.equal(value('perdure_http_requests_total{operation="Invoke",status="200"}'), 1)
    assert.equal(value('perdure_http_requests_total{operation="unknown",status="404"}'), 1)
    assert.ok(value('perdure_store_commit_duration_seconds_count') >= checkpoints)
    assert.equal(value('perdure_store_commit_failures_total'), 0)
    assert.ok(value('perdure_store_wal_bytes') > 0)
    assert.equal(value('perdure_cache_executions'), 1)
    assert.equal(value('perdure_alarm_lateness_seconds_count'), 1)
    const processes = ['idle', 'busy'].map((state) =>
      value(`perdure_function_processes{function="hello",state="${state}"}`),
    )
    assert.ok(processes.reduce((sum, count) => sum + count) >= 1)
    assert.ok(value('process_resident_memory_bytes') > 10_000_000)
    assert.ok(value('nodejs_eventloop_utilization') > 0)
    for (const key of samples.keys()) assert.ok(metricOf(key.split('{')[0] ?? ''), `not in the table: ${key}`)
  })

  test('what was no request is counted too, and a client that left is no success', async (t) => {
    const metrics = new MetricRegistry(systemStopwatch)
    const figures = new RequestFigures(metrics)
    figures.refused(431)
    figures.answered('Invoke', 'gone', 5)
    const samples = samplesOf(prometheusText(metrics.families()))
    assert.equal(samples.get('perdure_http_requests_total{operation="none",status="431"}'), 1)
    assert.equal(samples.get('perdure_http_requests_total{operation="Invoke",status="gone"}'), 1)

    const server = await startServer(t)
    const client = await RawClient.open(t, server.port)
    await client.write(requestText(server.port, 'GET /metrics'))
    const { status, body } = await client.response()
    assert.equal(status, 200)
    assert.equal(samplesOf(body).get('perdure_admission_queued'), 0)
  })
})

describe('the documents', () => {
  test('docs/metrics.md has every metric of the table, as it is, and no other', () => {
    const rows = readFileSync(join(root, 'docs/metrics.md'), 'utf8')
      .split('\n')
      .filter((line) => /^\| `(perdure|process|nodejs)_\w+` +\| (counter|gauge|histogram)/.test(line))
      .map((line) =>
        line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      )
    const table = Object.entries(METRICS).map(([name, { kind, labels, help }]) => [
      `\`${name}\``,
      kind,
      labels.map((label) => `\`${label}\``).join(', '),
      help,
    ])
    assert.deepEqual(rows, table)
  })

  test('docs/metrics.md mentions no metric that there is not', () => {
    const text = readFileSync(join(root, 'docs/metrics.md'), 'utf8')
    for (const [name] of text.matchAll(/\b(perdure|process|nodejs)_[a-z_0-9]+\b/g)) assert.ok(metricOf(name), name)
  })

  test('the dashboard shows every metric there is, and no other', () => {
    const text = readFileSync(join(root, 'docs/grafana/perdure.json'), 'utf8')
    const { panels } = JSON.parse(text) as { panels: { title: string; targets?: { expr: string }[] }[] }
    const shown = new Set<string>()
    for (const { title, targets = [] } of panels) {
      for (const { expr } of targets) {
        const names = [...expr.matchAll(/\b(perdure|process|nodejs)_[a-z_0-9]+\b/g)]
        assert.ok(names.length > 0, `${title}: ${expr}`)
        for (const [name] of names) {
          const metric = metricOf(name)
          assert.ok(metric, `${title}: ${name}`)
          shown.add(metric)
          const suffixed = METRICS[metric].kind === 'histogram'
          assert.equal(/_(bucket|sum|count)$/.test(name), suffixed, `${title}: ${name}`)
        }
      }
    }
    assert.deepEqual(
      Object.keys(METRICS).filter((name) => !shown.has(name)),
      [],
    )
  })
})

test('a checkpoint pays less than a microsecond for being measured', () => {
  const metrics = new MetricRegistry(systemStopwatch)
  const requests = new RequestFigures(metrics)
  const checkpoint = metrics.histogram('perdure_checkpoint_duration_seconds')
  const commit = metrics.histogram('perdure_store_commit_duration_seconds')
  const items = metrics.histogram('perdure_store_batch_items')
  // Everything that one checkpoint alone in its batch goes through.
  const measured = (): void => {
    const requestBegan = requests.now()
    const checkpointBegan = metrics.now()
    const commitBegan = metrics.now()
    commit.observe((metrics.now() - commitBegan + 0.7) / 1_000)
    items.observe(1)
    checkpoint.observe((metrics.now() - checkpointBegan + 1.1) / 1_000)
    requests.answered('CheckpointDurableExecution', 200, requests.now() - requestBegan + 1.3)
  }
  const rounds = Array.from({ length: 10 }, () => {
    const began = performance.now()
    for (let i = 0; i < 100_000; i++) measured()
    return ((performance.now() - began) / 100_000) * 1e6
  })
  const best = Math.min(...rounds)
  console.log(`measuring one checkpoint takes ${best.toFixed(0)} ns`)
  assert.ok(best < 1_000, `${best} ns`)
})
