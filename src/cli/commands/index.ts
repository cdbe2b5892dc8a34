/** The one table of commands: it drives the program, its help pages, the completion scripts and the check of the docs. */
import type { Command } from '../command.ts'
import { backup } from './backup.ts'
import { callbacksFail } from './callbacks-fail.ts'
import { callbacksHeartbeat } from './callbacks-heartbeat.ts'
import { callbacksSucceed } from './callbacks-succeed.ts'
import { completionOf } from './completion.ts'
import { configCheck } from './config-check.ts'
import { demo } from './demo.ts'
import { deploy } from './deploy.ts'
import { destroy } from './destroy.ts'
import { dev } from './dev.ts'
import { executionsDelete } from './executions-delete.ts'
import { executionsGet } from './executions-get.ts'
import { executionsHistory } from './executions-history.ts'
import { executionsList } from './executions-list.ts'
import { executionsStop } from './executions-stop.ts'
import { executionsWatch } from './executions-watch.ts'
import { functionsGet } from './functions-get.ts'
import { functionsList } from './functions-list.ts'
import { invoke } from './invoke.ts'
import { logs } from './logs.ts'
import { repair } from './repair.ts'
import { restore } from './restore.ts'
import { start } from './start.ts'
import { status } from './status.ts'
import { verify } from './verify.ts'
import { worker } from './worker.ts'

export const COMMANDS: readonly Command[] = [
  start,
  dev,
  demo,
  worker,
  status,
  invoke,
  executionsList,
  executionsGet,
  executionsHistory,
  executionsWatch,
  executionsStop,
  executionsDelete,
  callbacksSucceed,
  callbacksFail,
  callbacksHeartbeat,
  functionsList,
  functionsGet,
  deploy,
  destroy,
  logs,
  backup,
  restore,
  verify,
  repair,
  configCheck,
  completionOf(() => COMMANDS),
]
