/**
 * Loaded before a server (`node --import`): gives it a clock of an earlier day that runs fast. What ends under it comes
 * to the end of its retention in the middle of a soak, which could not wait for a day.
 *
 * PERDURE_PAST_LIFE: `<real ms at which it begins> <the server's ms at that moment> <speed>`.
 */
const [realMs = 0, serverMs = 0, speed = 1] = (process.env['PERDURE_PAST_LIFE'] ?? '').split(' ').map(Number)
const systemNow = Date.now.bind(Date)
Date.now = () => Math.floor(serverMs + (systemNow() - realMs) * speed)
