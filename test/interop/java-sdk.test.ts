/** Java, the official AWS SDK. */
import { javaLanguage } from './languages.ts'
import { runScenarios } from './scenarios.ts'

runScenarios('Java, the official AWS SDK', await javaLanguage())
