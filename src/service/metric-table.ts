/**
 * The one table of metrics: what the server measures, under the names that `/metrics` shows. The registry
 * (`metrics.ts`) takes no other names, and a test holds `docs/metrics.md` against this table. Names follow the customs
 * of Prometheus: seconds and bytes, `_total` for what only grows. Labels are few and bounded: function names, statuses,
 * operations; never an execution.
 */

/** Each row: what it means, its labels, and for histograms the upper bounds of the buckets. */
export type MetricSpec =
  | { readonly kind: 'counter' | 'gauge'; readonly help: string; readonly labels: readonly string[] }
  | {
      readonly kind: 'histogram'
      readonly help: string
      readonly labels: readonly string[]
      readonly bounds: readonly number[]
    }

const counter = <const Labels extends readonly string[]>(help: string, ...labels: Labels) =>
  ({ kind: 'counter', help, labels }) as const
const gauge = <const Labels extends readonly string[]>(help: string, ...labels: Labels) =>
  ({ kind: 'gauge', help, labels }) as const
const histogram = <const Labels extends readonly string[]>(
  help: string,
  bounds: readonly number[],
  ...labels: Labels
) => ({ kind: 'histogram', help, labels, bounds }) as const

/** A tenth of a millisecond to ten seconds: what a request or a disk takes. */
const LATENCY = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]
/** A millisecond to an hour: what people wait for. */
const WAIT = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 60, 300, 900, 3_600]
/** A tenth of a second to a year (the longest ExecutionTimeout is 31,622,400 s). */
const LIFETIME = [0.1, 0.5, 1, 5, 30, 60, 300, 900, 3_600, 21_600, 86_400, 604_800, 2_592_000, 31_622_400]
/** Up to the real service's 3,000 operations. */
const OPERATIONS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 3_000]
/** Up to the real service's 100 MB. */
const STORED = [1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000]
const BATCH = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024]

export const METRICS = {
  // Executions: the figures of spec 08 §8.9, by function.
  perdure_executions_started_total: counter('Executions started.', 'function'),
  perdure_executions_ended_total: counter(
    'Executions ended, by how: SUCCEEDED, FAILED, TIMED_OUT or STOPPED.',
    'function',
    'status',
  ),
  perdure_executions_running: gauge('Executions that are open: running, due or suspended.', 'function'),
  perdure_execution_duration_seconds: histogram('From the start of an execution to its end.', LIFETIME, 'function'),
  perdure_execution_operations: histogram('Operations of an execution when it ends.', OPERATIONS, 'function'),
  perdure_execution_stored_bytes: histogram('Payload bytes an execution wrote until it ended.', STORED, 'function'),

  // Invocations of functions and the queues before them.
  perdure_invocations_total: counter(
    'Invocations that ended, by how: response, error (the function failed) or platform (Perdure failed).',
    'function',
    'outcome',
  ),
  perdure_invocation_duration_seconds: histogram('From handing the event over to its end.', WAIT, 'function'),
  perdure_ready_wait_seconds: histogram('From being due until a process was free.', WAIT, 'function'),
  perdure_ready_jobs: gauge('Due work that waits for its turn at the function.', 'function'),
  perdure_jobs_under_way: gauge('Due work that waits for a process or runs in one.', 'function'),
  perdure_held_jobs: gauge('Due work of functions that are not declared, or have no worker.', 'function'),
  perdure_function_processes: gauge(
    'Processes of a function: idle or busy (starting ones are busy).',
    'function',
    'state',
  ),
  perdure_function_running: gauge('Invocations that have a place in a process.', 'function'),
  perdure_function_waiting: gauge('Reservations that wait for a place in a process.', 'function'),
  perdure_function_oldest_wait_seconds: gauge('How long the first of these reservations has waited.', 'function'),
  perdure_workers: gauge('Workers that are attached to a function.', 'function'),
  perdure_workers_lost_total: counter('Workers that were lost: gone without draining.', 'function'),

  // Asynchronous invocations and what is delivered to destinations.
  perdure_async_invocations_ended_total: counter(
    'Asynchronous invocations that ended: Success, RetriesExhausted, EventAgeExceeded, FunctionDeleted.',
    'function',
    'outcome',
  ),
  perdure_deliveries_total: counter(
    'Deliveries to destinations that ended: delivered, or dropped as expired, unmapped or refused.',
    'kind',
    'outcome',
  ),
  perdure_delivery_failures_total: counter('Tries to deliver to a webhook that failed; they are repeated.', 'kind'),
  perdure_deliveries_waiting: gauge('Deliveries to destinations, known and not settled.'),

  // Checkpoints and the store.
  perdure_checkpoint_duration_seconds: histogram('From a checkpoint at the service to its durable answer.', LATENCY),
  perdure_store_commit_duration_seconds: histogram('One batch until it is durable (fsync included).', LATENCY),
  perdure_store_batch_items: histogram('Executions whose entries share one commit.', BATCH),
  perdure_store_commit_failures_total: counter('Batches that the store failed to append.'),
  perdure_store_failed: gauge('1 when the store takes nothing more until a restart, because its disk failed; else 0.'),
  perdure_store_backlog_items: gauge('Entries and duties that wait for the batch in flight.'),
  perdure_store_wal_bytes: gauge('The write-ahead log of SQLite. Absent for a store in memory.'),
  perdure_outbox_duties: gauge(
    'Duties toward other executions, plain functions and destinations, known and not settled.',
  ),
  perdure_cache_bytes: gauge('What folded executions take in memory, about.'),
  perdure_cache_executions: gauge('Executions with a place in memory.'),

  // Timers.
  perdure_alarms_armed: gauge('Executions with a due time that is waited for.'),
  perdure_alarm_lateness_seconds: histogram('How late alarms rang.', WAIT),
  perdure_alarm_overdue_seconds: gauge('How long the earliest due time has passed without its alarm ringing.'),
  perdure_looks_waiting: gauge('Executions whose alarm rang and that wait to be looked at.'),

  // HTTP.
  perdure_http_requests_total: counter(
    'Requests answered, by operation and HTTP status. Operation `unknown`: no route; `none`: no HTTP.',
    'operation',
    'status',
  ),
  perdure_http_request_duration_seconds: histogram(
    'From the head of a request to its answer; synchronous Invokes last as long as what they wait for.',
    LATENCY,
    'operation',
  ),
  perdure_admission_requests: gauge('Requests being worked on, Invokes not counted.'),
  perdure_admission_invokes: gauge('Invokes between their arrival and their start in the journal.'),
  perdure_admission_body_bytes: gauge('Bytes of request bodies that are held.'),
  perdure_admission_queued: gauge('Requests whose body is not read for want of room.'),
  perdure_sync_waits: gauge('Synchronous Invokes that wait for an end.'),

  // The process. Names that other exporters use, so that existing dashboards and alerts fit.
  perdure_log_records_total: counter('Log records of the server, by level.', 'level'),
  perdure_build_info: gauge('Always 1; the labels say what runs.', 'version', 'node'),
  process_cpu_seconds_total: counter('CPU time, user and system.'),
  process_start_time_seconds: gauge('When the process started, in epoch seconds.'),
  process_resident_memory_bytes: gauge('Resident memory.'),
  nodejs_heap_size_used_bytes: gauge('Heap in use.'),
  nodejs_external_memory_bytes: gauge('Memory outside of the heap that objects on it keep.'),
  nodejs_eventloop_lag_p99_seconds: gauge('99th percentile of the delay of the event loop since the scrape before.'),
  nodejs_eventloop_lag_max_seconds: gauge('Longest delay of the event loop since the scrape before.'),
  nodejs_eventloop_utilization: gauge('Share of time that the event loop was busy since the scrape before, 0 to 1.'),
} as const satisfies Record<string, MetricSpec>

export type MetricName = keyof typeof METRICS
type NamesOf<Kind extends MetricSpec['kind']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['kind'] extends Kind ? Name : never
}[MetricName]
export type CounterName = NamesOf<'counter'>
export type GaugeName = NamesOf<'gauge'>
export type HistogramName = NamesOf<'histogram'>

type OnePerLabel<Labels extends readonly string[]> = { readonly [Place in keyof Labels]: string }
/** One value per label of the metric. */
export type LabelValues<Name extends MetricName> = OnePerLabel<(typeof METRICS)[Name]['labels']>
