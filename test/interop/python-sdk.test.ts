/** Python, the official durable SDK. */
import { pythonLanguage } from './languages.ts'
import { runScenarios } from './scenarios.ts'

runScenarios('Python, the official durable SDK', await pythonLanguage())
