/** A whole server started on what a loss of power has left: every execution that is in it goes on and ends right. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { ExecutionState } from '../../src/engine/model.ts'
import { refold } from '../engine/driver.ts'
import { answerCallback, describe, history } from '../kill/api.ts'
import { MIXED_RESULT } from '../kill/functions.ts'
import { startPerdureProcess } from '../start-perdure.ts'
import { Puppeteer } from '../tables/puppeteer.ts'
import type { Image } from './disk.ts'
import { DATA, serverOptions } from './lives.ts'
import { openStore, putImage } from './reopening.ts'

const PATIENCE_MS = 120_000
const LOOK_MS = 100
const CHILD_RESULT = 1_000

export interface Finished {
  readonly executions: number
  readonly wrong: readonly string[]
}

/** `folder` is empty, and the caller's to remove. */
export async function finishOn(image: Image, folder: string): Promise<Finished> {
  putImage(image, join(folder, 'copy'))
  const left = openStore(join(folder, 'copy', DATA), executionsIn)
  putImage(image, join(folder, 'watched'))
  const ledger = join(folder, 'ledger')
  writeFileSync(ledger, '')
  const puppets = await Puppeteer.open()
  puppets.letGo()
  let log = ''
  const options = serverOptions(join(folder, 'watched', DATA), puppets, ledger)
  const server = await startPerdureProcess(options, (text) => {
    log += text
  })
  try {
    const wrong = await finish(server.endpoint, left, ledger)
    if (wrong.length > 0) writeFileSync(join(folder, 'server.log'), log)
    return { executions: left.length, wrong }
  } finally {
    await server.stop()
    puppets.close()
  }
}

function executionsIn(db: DatabaseSync): ExecutionState[] {
  const entries = db.prepare('SELECT text FROM journal WHERE execution = ? ORDER BY seq')
  return db
    .prepare("SELECT key FROM executions WHERE status <> 'DELETING' ORDER BY key")
    .all()
    .map(({ key }) => refold(entries.all(key ?? null).map(({ text }) => String(text))))
}

async function finish(endpoint: string, left: readonly ExecutionState[], ledgerFile: string): Promise<string[]> {
  const wrong: string[] = []
  const answered = new Set<string>()
  const answer = async (callbackId: string): Promise<void> => {
    if (answered.has(callbackId)) return
    answered.add(callbackId)
    await answerCallback(endpoint, callbackId, '"approved"')
  }
  const ledger = (): string[][] =>
    readFileSync(ledgerFile, 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
  for (const { status, operations } of left) {
    if (status !== 'RUNNING') continue
    for (const { callbackId, status } of operations.values()) {
      if (callbackId !== undefined && status === 'STARTED') await answer(callbackId)
    }
  }
  const deadline = performance.now() + PATIENCE_MS
  for (const state of left) {
    const { arn, name } = state.start
    for (;;) {
      for (const [word, , callbackId = ''] of ledger()) if (word === 'callback') await answer(callbackId)
      const { Status, Result, Error: error } = await describe(endpoint, arn)
      if (Status !== 'RUNNING') {
        const end = `${Status} ${Result ?? JSON.stringify(error)}`
        if (!endsRight(state, Status, Result)) wrong.push(`${name} ended as ${end}`)
        break
      }
      if (performance.now() > deadline) {
        wrong.push(`${name} still runs ${PATIENCE_MS / 1_000} s after the restart`)
        break
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
    const events = await history(endpoint, arn)
    if (!events.every(({ EventId }, index) => EventId === index + 1)) wrong.push(`the history of ${name} has a gap`)
  }
  const finished = new Set(left.flatMap(finishedSteps))
  for (const [word, execution, step] of ledger()) {
    if (word === 'ran' && finished.has(`${execution} ${step}`)) {
      wrong.push(`${step} of ${execution} was finished before the power failed, and ran again`)
    }
  }
  return wrong
}

function endsRight({ start, status }: ExecutionState, shown: string, result: string | undefined): boolean {
  if (status !== 'RUNNING') return shown === status
  if (start.functionName === 'mixed') return shown === 'SUCCEEDED' && result === String(MIXED_RESULT)
  if (start.functionName === 'child') return shown === 'SUCCEEDED' && result === String(CHILD_RESULT)
  return shown === 'SUCCEEDED'
}

function finishedSteps({ start, operations }: ExecutionState): string[] {
  return [...operations.values()]
    .filter(({ type, status }) => type === 'STEP' && status === 'SUCCEEDED')
    .map(({ name }) => `${start.name} ${name}`)
}
