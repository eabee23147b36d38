// SPDX-License-Identifier: MIT
export { Calendar, type CalendarOptions, type End, LONGEST_WINDOW, REAL_TIME_WINDOW } from './calendar.js';
export { Domain } from './domain.js';
export { type CalendarEvent, EventKind } from './event.js';
export { Lookahead, type Way } from './lookahead.js';
export type { Interrupt, Participant, ParticipantHost } from './participant.js';
export { RealTime } from './real-time.js';
export * from './time.js';
export type { Timeline } from './timeline.js';
