/** Rust, the official durable SDK. */
import { rustLanguage } from './languages.ts'
import { runScenarios } from './scenarios.ts'

runScenarios('Rust, the official durable SDK', await rustLanguage())
