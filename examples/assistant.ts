/**
 * An agent: a model is asked what to do next, the tool that it names is called, and the outcome goes back to the model,
 * until it answers. Every answer of the model and every tool call is a step, so a crash neither asks the model twice,
 * which costs money, nor calls a tool twice, which may cost more; and the history is the agent's transcript.
 *
 * The model here is a plain function. Yours would be a request to one, with a retry strategy for when it is overloaded.
 */
import { createRetryStrategy, withDurableExecution } from '@aws/durable-execution-sdk-js'

export interface Question {
  readonly question: string
}

export interface Answer {
  readonly answer: string
  readonly toolCalls: number
}

type Message =
  | { readonly role: 'user' | 'assistant'; readonly text: string }
  | { readonly role: 'tool'; readonly tool: string; readonly text: string }

type Turn =
  | { readonly kind: 'answer'; readonly text: string }
  | { readonly kind: 'tool'; readonly tool: keyof typeof tools; readonly argument: string }

const maxTurns = 10
const patient = createRetryStrategy({ maxAttempts: 5, initialDelay: { seconds: 2 }, maxDelay: { minutes: 1 } })

export const handler = withDurableExecution<Question, Answer>(async ({ question }, context) => {
  const messages: Message[] = [{ role: 'user', text: question }]

  for (let turn = 1; turn <= maxTurns; turn++) {
    const next = await context.step(`model ${turn}`, async () => model(messages), { retryStrategy: patient })
    if (next.kind === 'answer') return { answer: next.text, toolCalls: turn - 1 }

    const { tool, argument } = next
    const text = await context.step(`${tool} ${turn}`, async () => tools[tool](argument))
    messages.push({ role: 'tool', tool, text })
  }
  throw new Error(`no answer after ${maxTurns} turns`)
})

/** What the model may use. */
const tools = {
  weather: (city: string) => (city === 'Oslo' ? 'snow, -4 °C' : 'sun, 19 °C'),
  packing: (weather: string) => (weather.startsWith('snow') ? 'coat, gloves, boots' : 'hat, sunglasses'),
} as const satisfies Record<string, (argument: string) => string>

/** Stands for a language model: it looks at the conversation so far and says what comes next. */
function model(messages: readonly Message[]): Turn {
  const [question, weather, packing] = messages
  const city = /\b(?:to|in) (\w+)/.exec(question?.text ?? '')?.[1] ?? 'Rome'
  if (weather === undefined) return { kind: 'tool', tool: 'weather', argument: city }
  if (packing === undefined) return { kind: 'tool', tool: 'packing', argument: weather.text }
  return { kind: 'answer', text: `In ${city} there is ${weather.text}. Take ${packing.text}.` }
}
