/** The machines that try to refute the promises of `docs/guarantees.md`: what to run, briefly and for long. */

export interface Machine {
  readonly name: string
  /** Its program, from the root of the repository. */
  readonly program: string
  /** The form that every change has to pass. */
  readonly brief: readonly string[]
  /** The form for a budget of so many minutes. */
  readonly long: (minutes: number) => readonly string[]
  /** The first line that says it found something. A machine that ends with an exit code of its own has found it too. */
  readonly finding: RegExp
}

const seconds = (minutes: number): string => String(Math.round(minutes * 60))
const count = (about: number): string => String(Math.max(1, Math.round(about)))

// What two cores do; machines that count their work instead of looking at a clock are given about so much of it.
const SIMULATED_SEEDS_PER_MINUTE = 1_500
const MINUTES_PER_CRASH_ROUND = 2
const DISK_FLIPS_PER_MINUTE = 400
const HOSTILE_REQUESTS_PER_MINUTE = 120_000

export const MACHINES: readonly Machine[] = [
  {
    name: 'oracle',
    program: 'test/oracle/main.ts',
    brief: [],
    long: (minutes) => ['--seconds', seconds(minutes)],
    finding: /^seed \d+ failed/,
  },
  {
    name: 'linearizability',
    program: 'test/linearizability/main.ts',
    brief: [],
    long: (minutes) => ['--seconds', seconds(minutes)],
    finding: /is not linearizable|the service failed/,
  },
  {
    name: 'simulation',
    program: 'test/simulation/main.ts',
    brief: ['--seeds', '1000'],
    long: (minutes) => ['--seeds', count(minutes * SIMULATED_SEEDS_PER_MINUTE)],
    finding: /^seed \d+ failed/,
  },
  {
    name: 'crash-points',
    program: 'test/crash-points/main.ts',
    brief: [],
    long: (minutes) => ['--rounds', count(minutes / MINUTES_PER_CRASH_ROUND)],
    finding: /^FAILED/,
  },
  {
    name: 'power',
    program: 'test/power/main.ts',
    brief: [],
    long: (minutes) => ['--seconds', seconds(minutes)],
    finding: /^FAILED/,
  },
  {
    name: 'disk',
    program: 'test/disk/main.ts',
    brief: [],
    long: (minutes) => ['--flips', count(minutes * DISK_FLIPS_PER_MINUTE)],
    finding: /^FAILED/,
  },
  {
    name: 'hostile',
    program: 'test/hostile/main.ts',
    brief: [],
    long: (minutes) => ['--requests', count(minutes * HOSTILE_REQUESTS_PER_MINUTE)],
    finding: /^FAILED/,
  },
]

export const machineNamed = (name: string): Machine => {
  const machine = MACHINES.find((each) => each.name === name)
  if (machine === undefined)
    throw new Error(`no machine is called ${name}: ${MACHINES.map((each) => each.name).join(', ')}`)
  return machine
}
