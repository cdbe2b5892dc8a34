/** Sequences for what is not about a single update: repeats, tokens of the past, ends, calls from outside, time. */
import type { Command, Ending } from './commands.ts'
import { BOOM, type Sequence } from './directed.ts'
import type { Update } from './model/shape.ts'

const start = (as: string, functionName = 'puppet', more: Partial<Command & { do: 'invoke' }> = {}): Command => ({
  do: 'invoke',
  as,
  functionName: `${functionName}:$LATEST`,
  mode: 'Event',
  input: '{}',
  ...more,
})
const ends = (how: Ending, on = 'e1'): Command => ({ do: 'end', on, how })
const returns = (output: unknown, on = 'e1'): Command => ends({ output }, on)
const suspends = (on = 'e1'): Command => returns({ Status: 'PENDING' }, on)
const succeeds = (on = 'e1'): Command => returns({ Status: 'SUCCEEDED', Result: '"done"' }, on)
const throws = (on = 'e1'): Command => ends({ throws: { name: 'Oops', message: 'thrown' } }, on)
const stop: Command = { do: 'stop', on: 'e1' }
const advance = (ms: number): Command => ({ do: 'advance', ms })
const checkpoint = (updates: readonly Update[], clientToken?: string, token = 0): Command => ({
  do: 'checkpoint',
  on: 'e1',
  token,
  updates,
  ...(clientToken === undefined ? {} : { clientToken }),
})
const calls = (operation: string, verb: 'succeed' | 'fail' | 'heartbeat', body?: string): Command => ({
  do: 'callback',
  on: 'e1',
  operation,
  id: 'real',
  verb,
  ...(body === undefined ? {} : { body }),
})
const everyCall = (operation: string): readonly Command[] => [
  calls(operation, 'heartbeat'),
  calls(operation, 'succeed', '"yes"'),
  calls(operation, 'fail', JSON.stringify(BOOM)),
]

const step = (Id: string, Action = 'START', more: Update = {}): Update => ({ Id, Type: 'STEP', Action, ...more })
const retry = (Id: string, seconds: number, more: Update = {}): Update =>
  step(Id, 'RETRY', { StepOptions: { NextAttemptDelaySeconds: seconds }, ...more })
const wait = (Id: string, WaitSeconds: number, more: Update = {}): Update => ({
  Id,
  Type: 'WAIT',
  Action: 'START',
  WaitOptions: { WaitSeconds },
  ...more,
})
const context = (Id: string, Action = 'START', more: Update = {}): Update => ({ Id, Type: 'CONTEXT', Action, ...more })
const callback = (Id: string, CallbackOptions: Update['CallbackOptions'] = {}, more: Update = {}): Update => ({
  Id,
  Type: 'CALLBACK',
  Action: 'START',
  CallbackOptions,
  ...more,
})
const chained = (Id: string, FunctionName: string, more: Update = {}): Update => ({
  Id,
  Type: 'CHAINED_INVOKE',
  Action: 'START',
  ChainedInvokeOptions: { FunctionName },
  ...more,
})
const execution = (Action: 'SUCCEED' | 'FAIL'): Update => ({
  Id: 'the-result',
  Type: 'EXECUTION',
  Action,
  ...(Action === 'SUCCEED' ? { Payload: '"fixed"' } : { Error: BOOM }),
})

const readings: readonly Command[] = [
  { do: 'get', on: 'e1', data: true },
  { do: 'get', on: 'e1', data: false },
  { do: 'state', on: 'e1', token: 0, maxItems: 1 },
  { do: 'state', on: 'e1', token: 0, maxItems: 2 },
  ...[1, 2, 3, 100].flatMap((maxItems) =>
    [true, false].map((reverse): Command => ({ do: 'history', on: 'e1', maxItems, reverse, data: !reverse })),
  ),
]

/** How an execution of `brief` may come to each terminal status. */
const CLOSINGS: Readonly<Record<string, readonly Command[]>> = {
  SUCCEEDED: [succeeds()],
  FAILED: [returns({ Status: 'FAILED', Error: BOOM })],
  TIMED_OUT: [advance(97_000)],
  STOPPED: [{ do: 'stop', on: 'e1', error: BOOM }],
}

export const situations = (): readonly Sequence[] => [
  ...repeats(),
  ...tokensOfThePast(),
  ...callbacks(),
  ...endings(),
  ...closedExecutions(),
  ...namedStarts(),
  ...hiddenOperations(),
  ...backOff(),
  ...chainedInvokes(),
  ...timers(),
]

function repeats(): readonly Sequence[] {
  const three = [
    checkpoint([step('s1')], 'a'),
    checkpoint([step('s1', 'SUCCEED', { Payload: '1' }), callback('k1')], 'b'),
    checkpoint([wait('w1', 5)], 'c'),
  ]
  /** Each of the three again; `since` checkpoints were taken after them. */
  const again = (since: number): readonly Command[] => [
    checkpoint([step('s1')], 'a', since + 3),
    checkpoint([], 'b', since + 2),
    checkpoint([step('other')], 'c', since + 1),
    checkpoint([], 'a', since + 2),
    checkpoint([], undefined, since + 1),
  ]
  return [
    {
      title: 'repeats of the last three checkpoints',
      commands: [start('e1'), ...three, ...again(0), checkpoint([]), ...again(1)],
    },
    {
      title: 'repeats after the operations have changed, and at the end of 15 minutes',
      commands: [
        start('e1', 'patient'),
        ...three,
        advance(6_000),
        checkpoint([], 'd'),
        ...again(1),
        checkpoint([], 'd', 1),
        advance(894_000),
        ...again(1),
        advance(1),
        ...again(1),
        advance(6_000),
        checkpoint([], 'd', 1),
      ],
    },
    {
      title: 'repeats of the closing checkpoint, and after the end of the invocation',
      commands: [
        start('e1'),
        checkpoint([step('s1')], 'a'),
        checkpoint([execution('SUCCEED')], 'b'),
        checkpoint([execution('SUCCEED')], 'b', 0),
        checkpoint([], 'a', 1),
        checkpoint([], 'c', 0),
        succeeds(),
        checkpoint([], 'b', 0),
      ],
    },
    {
      title: 'repeats in the next invocation',
      commands: [
        start('e1'),
        ...three,
        suspends(),
        advance(5_000),
        ...again(1),
        checkpoint([step('s2')], 'a'),
        ...again(2),
      ],
    },
  ]
}

function tokensOfThePast(): readonly Sequence[] {
  const old: readonly Command[] = [0, 1, 2, 3].flatMap((token): readonly Command[] => [
    checkpoint([step('s9')], 'x', token),
    { do: 'state', on: 'e1', token },
  ])
  return [
    {
      title: 'tokens of ended invocations',
      commands: [
        start('e1'),
        checkpoint([wait('w1', 1), retry('s1', 2)]),
        suspends(),
        ...old,
        advance(1_000),
        ...old,
        suspends(),
        advance(1_000),
        ...old,
        throws(),
        ...old,
        advance(1_000),
        ...old,
      ],
    },
    {
      title: 'tokens of others and of nobody',
      commands: [
        start('e0'),
        start('e1'),
        ...(['foreign', 'random', 'misshapen'] as const).flatMap((token): readonly Command[] => [
          { do: 'checkpoint', on: 'e1', token, updates: [step('s1')] },
          { do: 'state', on: 'e1', token },
        ]),
        checkpoint([step('s1')]),
      ],
    },
  ]
}

function callbacks(): readonly Sequence[] {
  const completions = [
    calls('k1', 'succeed', '"yes"'),
    calls('k1', 'succeed', ''),
    calls('k1', 'fail', JSON.stringify(BOOM)),
    calls('k1', 'fail', '{}'),
  ]
  const started = [start('e1', 'patient'), checkpoint([callback('k1', { TimeoutSeconds: 60 }), callback('k2')])]
  return [
    ...completions.flatMap((completion): readonly Sequence[] => [
      {
        title: `${inShort(completion)} while the invocation runs, told by a checkpoint`,
        commands: [
          ...started,
          completion,
          ...everyCall('k1'),
          checkpoint([step('s1')]),
          ...everyCall('k1'),
          suspends(),
          suspends(),
        ],
      },
      {
        title: `${inShort(completion)} while the invocation runs, told by the next one`,
        commands: [...started, completion, ...everyCall('k1'), suspends(), ...everyCall('k1'), suspends()],
      },
      {
        title: `${inShort(completion)} while nothing runs`,
        commands: [...started, suspends(), completion, ...everyCall('k1'), suspends()],
      },
      {
        title: `${inShort(completion)} acknowledged, and then the execution ends`,
        commands: [...started, completion, calls('k2', 'succeed', '2'), succeeds(), ...everyCall('k1')],
      },
      {
        title: `${inShort(completion)} acknowledged, and then the execution is stopped`,
        commands: [
          ...started,
          completion,
          { do: 'stop', on: 'e1' },
          ...everyCall('k1'),
          ...everyCall('k2'),
          succeeds(),
        ],
      },
    ]),
    {
      title: 'calls for callbacks whose time is over but not told yet',
      commands: [...started, advance(59_999), calls('k1', 'heartbeat'), advance(1), ...everyCall('k1'), checkpoint([])],
    },
    {
      title: 'calls for callbacks that timed out',
      commands: [...started, suspends(), advance(60_000), ...everyCall('k1'), ...everyCall('k2')],
    },
    {
      title: 'heartbeats, near and far',
      commands: [
        start('e1', 'patient'),
        checkpoint([callback('k1', { HeartbeatTimeoutSeconds: 20 }), callback('k2', { HeartbeatTimeoutSeconds: 3 })]),
        suspends(),
        advance(2_000),
        calls('k1', 'heartbeat'),
        advance(999),
        calls('k2', 'heartbeat'),
        advance(1),
        calls('k1', 'heartbeat'),
        advance(16_999),
        calls('k1', 'heartbeat'),
        advance(20_999),
        advance(1),
        ...everyCall('k1'),
      ],
    },
    {
      title: 'ids that are none',
      commands: [
        ...started,
        ...(['forged', 'misshapen'] as const).flatMap((id) =>
          (['succeed', 'fail', 'heartbeat'] as const).map(
            (verb): Command => ({ do: 'callback', on: 'e1', operation: 'k1', id, verb }),
          ),
        ),
        ...everyCall('k1'),
      ],
    },
  ]
}

const inShort = (command: Command): string =>
  command.do === 'callback' ? `${command.verb} with ${command.body || 'nothing'}` : command.do

function endings(): readonly Sequence[] {
  const outputs: readonly Ending[] = [
    { output: { Status: 'PENDING' } },
    { output: { Status: 'SUCCEEDED', Result: '"done"' } },
    { output: { Status: 'SUCCEEDED' } },
    { output: { Status: 'SUCCEEDED', Result: '' } },
    { output: { Status: 'FAILED', Error: BOOM } },
    { output: { Status: 'FAILED' } },
    { output: { Status: 'SUCCEEDED', Error: BOOM } },
    { output: { Status: 'FAILED', Result: '1' } },
    { output: { Status: 'DONE' } },
    { output: {} },
    { output: null },
    { throws: { name: 'Oops', message: 'thrown' } },
    { exits: 3 },
  ]
  const before: Readonly<Record<string, readonly Command[]>> = {
    'nothing pending': [],
    'a step that runs': [checkpoint([step('s1')])],
    'a wait pending': [checkpoint([wait('w1', 5)])],
    'a wait that is due': [checkpoint([wait('w1', 1), wait('w2', 30)]), advance(1_000)],
    'a completion that was told': [checkpoint([callback('k1')]), calls('k1', 'succeed', '1'), checkpoint([])],
    'a completion that was told earlier': [
      checkpoint([callback('k1')]),
      calls('k1', 'succeed', '1'),
      checkpoint([]),
      checkpoint([]),
    ],
    'a completion that was told, and a wait': [
      checkpoint([callback('k1'), wait('w1', 30)]),
      calls('k1', 'succeed', '1'),
      checkpoint([]),
      checkpoint([]),
    ],
    'a completion that was told just now, and a wait': [
      checkpoint([callback('k1'), wait('w1', 30)]),
      calls('k1', 'succeed', '1'),
      checkpoint([]),
    ],
    'only a step that is READY': [checkpoint([retry('s1', 1)]), suspends(), advance(1_000)],
    'a success that is fixed': [checkpoint([step('s1'), execution('SUCCEED')])],
    'a failure that is fixed': [
      checkpoint([callback('k1')]),
      calls('k1', 'fail', '{}'),
      checkpoint([execution('FAIL')]),
    ],
  }
  return Object.entries(before).map(([title, commands]) => ({
    title: `every output with ${title}`,
    commands: outputs.flatMap((how, index) =>
      // Stopped at last, so that its process is free for the next.
      [start('e1'), ...commands, ends(how), advance(1_000), suspends(), stop, suspends()].map((command) =>
        renamed(command, `e1-${index}`),
      ),
    ),
  }))
}

/** The same command about another execution. */
function renamed(command: Command, key: string): Command {
  if (command.do === 'invoke') return { ...command, as: key }
  return 'on' in command ? { ...command, on: key } : command
}

function closedExecutions(): readonly Sequence[] {
  const late: readonly Command[] = [
    ...readings,
    { do: 'stop', on: 'e1' },
    { do: 'stop', on: 'e1', error: { ErrorType: 'Later' } },
    checkpoint([step('s2')]),
    ...everyCall('k1'),
    advance(500),
    ...['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED'].map(
      (status): Command => ({ do: 'list', functionName: 'brief', status, reverse: false, maxItems: 1 }),
    ),
    succeeds(),
    { do: 'delete', on: 'e1' },
    ...readings,
    { do: 'stop', on: 'e1' },
    { do: 'delete', on: 'e1' },
    checkpoint([step('s2')]),
    ...everyCall('k1'),
  ]
  const open = [
    start('e1', 'brief'),
    checkpoint([callback('k1'), step('s1'), step('s2', 'SUCCEED', { Payload: 'y'.repeat(700) }), wait('w1', 300)], 'a'),
  ]
  return Object.entries(CLOSINGS).flatMap(([status, closing]): readonly Sequence[] => [
    {
      title: `${status}: everything that may come later`,
      commands: [...open, { do: 'delete', on: 'e1' }, ...readings, ...closing, ...late],
    },
    {
      title: `${status} while nothing runs, or after an outcome was fixed`,
      commands: [
        ...[...open, suspends(), ...closing, ...readings].map((command) => renamed(command, 'e2')),
        ...[...open, checkpoint([execution('SUCCEED')]), ...closing, ...late],
      ],
    },
  ])
}

function namedStarts(): readonly Sequence[] {
  const again: readonly Command[] = (['Event', 'RequestResponse'] as const).flatMap((mode, index) =>
    ['{"order":1}', '{"order":2}'].map((input, which) =>
      start(`again-${index}-${which}`, 'brief', { name: '«name n1»', mode, input }),
    ),
  )
  const first = start('e1', 'brief', { name: '«name n1»', input: '{"order":1}' })
  const sequences = Object.entries(CLOSINGS).map(
    ([status, closing]): Sequence => ({
      title: `${status}: starts with the same name`,
      commands: [first, ...again, ...closing, ...again, { do: 'delete', on: 'e1' }, ...again],
    }),
  )
  return [
    ...sequences,
    {
      title: 'starts that are refused',
      commands: [
        start('e1', 'puppet', { functionName: 'puppet' }),
        start('e2', 'nobody'),
        start('e3', 'puppet', { functionName: 'puppet:7' }),
        start('e4', 'puppet', { name: 'no name' }),
        start('e5', 'puppet', { input: '{"not json' }),
        start('e6', 'puppet', { mode: 'DryRun' }),
        start('e7', 'patient', { mode: 'RequestResponse' }),
        start('e8', 'puppet', { input: '' }),
        start('e9', 'puppet', { mode: 'RequestResponse', input: '"text"' }),
        succeeds('e9'),
      ],
    },
  ]
}

function hiddenOperations(): readonly Sequence[] {
  return [true, false, undefined].flatMap((outer) =>
    [true, false].map((inner): Sequence => {
      const replay = (ReplayChildren: boolean | undefined): Update =>
        ReplayChildren === undefined ? {} : { ContextOptions: { ReplayChildren } }
      return {
        title: `what is below contexts that ended, ReplayChildren ${outer} and ${inner}`,
        commands: [
          start('e1'),
          checkpoint([
            context('c1'),
            context('c2', 'START', { ParentId: 'c1' }),
            step('s1', 'SUCCEED', { ParentId: 'c1' }),
            step('s2', 'SUCCEED', { ParentId: 'c2' }),
            wait('w1', 1, { ParentId: 'c2' }),
            wait('w2', 2, { ParentId: 'c1' }),
            callback('k1', {}, { ParentId: 'c2' }),
          ]),
          checkpoint([context('c1', 'SUCCEED', { Payload: '1', ...replay(outer) })]),
          ...readings,
          advance(1_000),
          checkpoint([step('s3', 'START', { ParentId: 'c2' })]),
          checkpoint([context('c2', 'FAIL', { Error: BOOM, ...replay(inner) })]),
          calls('k1', 'succeed', '1'),
          checkpoint([step('s3', 'SUCCEED', { ParentId: 'c2' }), context('c3', 'START', { ParentId: 'c2' })]),
          checkpoint([step('s4', 'START', { ParentId: 'c3' })]),
          suspends(),
          advance(1_000),
          ...readings,
        ],
      }
    }),
  )
}

function backOff(): readonly Sequence[] {
  const failAndWait = (ms: number): readonly Command[] => [throws(), advance(ms - 1), advance(1)]
  return [
    {
      title: 'back-off, and giving up',
      commands: [
        start('e1', 'patient'),
        ...[1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60, 60, 60, 60].flatMap((seconds) => failAndWait(seconds * 1_000)),
        throws(),
        advance(60_000),
      ],
    },
    {
      title: 'back-off begins anew after an invocation that ended normally, not after a checkpoint',
      commands: [
        start('e1', 'patient'),
        ...failAndWait(1_000),
        checkpoint([step('s1'), wait('w1', 100)]),
        ...failAndWait(2_000),
        suspends(),
        advance(100_000),
        ...failAndWait(1_000),
      ],
    },
    {
      title: 'back-off is cut short by a completion and by a timer',
      commands: [
        start('e1', 'patient'),
        checkpoint([callback('k1'), callback('k2'), wait('w1', 5)]),
        ...failAndWait(1_000),
        ...failAndWait(2_000),
        throws(),
        advance(500),
        calls('k1', 'succeed', '1'),
        throws(),
        advance(2_000),
        advance(10_000),
        calls('k2', 'fail', '{}'),
        throws(),
        advance(70_000),
      ],
    },
  ]
}

function chainedInvokes(): readonly Sequence[] {
  const child = 'e1/i1'
  const childEnds: Readonly<Record<string, readonly Command[]>> = {
    SUCCEEDED: [succeeds(child)],
    'SUCCEEDED without a result': [returns({ Status: 'SUCCEEDED' }, child)],
    'SUCCEEDED with too long a result': [returns({ Status: 'SUCCEEDED', Result: 'x'.repeat(3_001) }, child)],
    FAILED: [returns({ Status: 'FAILED', Error: BOOM }, child)],
    'FAILED without an error': [returns({ Status: 'FAILED' }, child)],
    TIMED_OUT: [advance(97_000)],
    STOPPED: [{ do: 'stop', on: child, error: BOOM }],
    'STOPPED without an error': [{ do: 'stop', on: child }],
  }
  const plainEnds: Readonly<Record<string, Ending>> = {
    SUCCEEDED: { output: { done: true } },
    'SUCCEEDED with nothing': { output: null },
    'SUCCEEDED with too long a result': { output: 'x'.repeat(2_000) },
    threw: { throws: { name: 'Oops', message: 'thrown' } },
    exited: { exits: 1 },
  }
  const started = (target: string): readonly Command[] => [
    start('e1', 'patient'),
    checkpoint([chained('i1', target, { Payload: '{"a":1}' }), wait('w1', 300)]),
  ]
  const each = (title: string, target: string, ending: readonly Command[]): readonly Sequence[] => [
    {
      title: `${title} while its parent runs`,
      commands: [...started(target), ...ending, checkpoint([]), suspends(), suspends()],
    },
    {
      title: `${title} and its parent is told by the next invocation`,
      commands: [...started(target), ...ending, suspends(), suspends()],
    },
    { title: `${title} while its parent waits`, commands: [...started(target), suspends(), ...ending, suspends()] },
    { title: `${title} after its parent`, commands: [...started(target), succeeds(), ...ending] },
  ]
  return [
    ...Object.entries(childEnds).flatMap(([how, ending]) => each(`a durable target ${how}`, 'brief:$LATEST', ending)),
    ...Object.entries(plainEnds).flatMap(([how, ending]) =>
      each(`a plain target ${how}`, 'plain', [{ do: 'end target', on: child, how: ending }]),
    ),
    {
      title: 'targets that cannot be',
      commands: [
        start('e1'),
        checkpoint([
          ...['nobody', 'brief', 'plain:7', 'brief:prod', 'arn:aws:lambda:us-east-1:000000000000:function:nobody'].map(
            (target, index) => chained(`i${index}`, target, { Payload: '1' }),
          ),
        ]),
        suspends(),
      ],
    },
    {
      title: 'a chained invoke that starts with the last checkpoint',
      commands: [
        start('e1'),
        checkpoint([chained('i1', 'brief:$LATEST'), execution('SUCCEED')]),
        succeeds(),
        succeeds(child),
      ],
    },
  ]
}

function timers(): readonly Sequence[] {
  const many = checkpoint([
    wait('w1', 3),
    retry('s1', 2, { Payload: '"state"' }),
    wait('w2', 1),
    callback('k1', { TimeoutSeconds: 2 }),
    retry('s2', 3, { Error: BOOM }),
    callback('k2', { HeartbeatTimeoutSeconds: 1, TimeoutSeconds: 4 }),
    wait('w3', 100),
  ])
  return [
    {
      title: 'timers, one after another',
      commands: [
        start('e1'),
        many,
        suspends(),
        ...[1, 2, 3, 4].flatMap(() => [advance(999), advance(1), suspends(), suspends()]),
      ],
    },
    {
      title: 'timers while an invocation runs, told by a checkpoint',
      commands: [
        start('e1'),
        many,
        advance(2_500),
        calls('k2', 'succeed', '1'),
        advance(2_500),
        checkpoint([step('s1'), step('s1', 'SUCCEED')]),
        suspends(),
      ],
    },
    {
      title: 'timers while an invocation runs, told by the next one',
      commands: [
        start('e1'),
        many,
        advance(3_500),
        suspends(),
        checkpoint([step('s2'), retry('s2', 1)]),
        suspends(),
        advance(1_000),
      ],
    },
    {
      title: 'a refused checkpoint takes no timer in',
      commands: [
        start('e1'),
        many,
        advance(3_500),
        checkpoint([step('s9'), step('s3', 'START', { ParentId: 'nobody' })]),
        { do: 'state', on: 'e1', token: 0 },
        checkpoint([]),
      ],
    },
    {
      title: 'timers that are due when the invocation fails',
      commands: [start('e1'), many, advance(3_500), throws(), suspends(), advance(1_000), suspends()],
    },
    {
      title: 'the end of the execution in the middle of everything',
      commands: [start('e1', 'brief'), many, advance(96_999), advance(1), checkpoint([]), suspends(), advance(100_000)],
    },
  ]
}
