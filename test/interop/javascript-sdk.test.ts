/** JavaScript, the official durable SDK. */
import { javascript } from './languages.ts'
import { runScenarios } from './scenarios.ts'

runScenarios('JavaScript, the official durable SDK', await javascript())
