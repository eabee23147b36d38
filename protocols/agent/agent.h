/* SPDX-License-Identifier: MIT */
/*
 * The contract of agent.proto for C: names, limits and field numbers. A unit test compares this file with
 * agent.proto and with codec.ts.
 */
#ifndef ONECLOCK_AGENT_H
#define ONECLOCK_AGENT_H

/* The name of the virtio console port. */
#define ONECLOCK_AGENT_PORT "oneclock.agent"

/* Bytes in a message, without the size before it. */
#define ONECLOCK_AGENT_MAX_MESSAGE 65536
/* Bytes of output, input or content in one message. */
#define ONECLOCK_AGENT_MAX_DATA 16384
/* Bytes on their way to a guest, messages with the sizes before them, that it has not told to have taken. */
#define ONECLOCK_AGENT_WINDOW 262144
/* Bytes on their way to the standard input of a program that it has not taken. */
#define ONECLOCK_AGENT_STDIN_WINDOW 65536
/* Operations that a guest has under way at once. */
#define ONECLOCK_AGENT_MAX_OPERATIONS 32
/* Arguments of a program, and entries of its environment. */
#define ONECLOCK_AGENT_MAX_WORDS 1024
/* Bytes of a path. */
#define ONECLOCK_AGENT_MAX_PATH 4095
/* The most credit that an operation may have at once, in bytes. */
#define ONECLOCK_AGENT_MAX_CREDIT 1073741824

/* Field numbers of FromGuest, guest to controller. */
#define ONECLOCK_AGENT_FROM_GUEST_READY 1
#define ONECLOCK_AGENT_FROM_GUEST_EXITED 2
#define ONECLOCK_AGENT_FROM_GUEST_FAILED 3
#define ONECLOCK_AGENT_FROM_GUEST_STARTED 4
#define ONECLOCK_AGENT_FROM_GUEST_OUTPUT 5
#define ONECLOCK_AGENT_FROM_GUEST_ENDED 6
#define ONECLOCK_AGENT_FROM_GUEST_FILE_DATA 7
#define ONECLOCK_AGENT_FROM_GUEST_DONE 8
#define ONECLOCK_AGENT_FROM_GUEST_REFUSED 9
#define ONECLOCK_AGENT_FROM_GUEST_CREDIT 10
#define ONECLOCK_AGENT_FROM_GUEST_TAKEN 11

/* Field numbers of Exited. */
#define ONECLOCK_AGENT_EXITED_CODE 1
#define ONECLOCK_AGENT_EXITED_SIGNAL 2

/* Field numbers of Failed. */
#define ONECLOCK_AGENT_FAILED_TEXT 1

/* Field numbers of Started. */
#define ONECLOCK_AGENT_STARTED_ID 1
#define ONECLOCK_AGENT_STARTED_PID 2

/* Field numbers of Output. */
#define ONECLOCK_AGENT_OUTPUT_ID 1
#define ONECLOCK_AGENT_OUTPUT_STREAM 2
#define ONECLOCK_AGENT_OUTPUT_BYTES 3

/* Field numbers of Ended. */
#define ONECLOCK_AGENT_ENDED_ID 1
#define ONECLOCK_AGENT_ENDED_CODE 2
#define ONECLOCK_AGENT_ENDED_SIGNAL 3

/* Field numbers of Done. */
#define ONECLOCK_AGENT_DONE_ID 1
#define ONECLOCK_AGENT_DONE_MODE 2

/* Field numbers of Refused. */
#define ONECLOCK_AGENT_REFUSED_ID 1
#define ONECLOCK_AGENT_REFUSED_TEXT 2
#define ONECLOCK_AGENT_REFUSED_ERROR 3

/* Field numbers of ToGuest, controller to guest. */
#define ONECLOCK_AGENT_TO_GUEST_EXEC 1
#define ONECLOCK_AGENT_TO_GUEST_STDIN 2
#define ONECLOCK_AGENT_TO_GUEST_SIGNAL 3
#define ONECLOCK_AGENT_TO_GUEST_RESIZE 4
#define ONECLOCK_AGENT_TO_GUEST_CREDIT 5
#define ONECLOCK_AGENT_TO_GUEST_PUT 6
#define ONECLOCK_AGENT_TO_GUEST_FILE_DATA 7
#define ONECLOCK_AGENT_TO_GUEST_GET 8
#define ONECLOCK_AGENT_TO_GUEST_CANCEL 9

/* Field numbers of Exec. */
#define ONECLOCK_AGENT_EXEC_ID 1
#define ONECLOCK_AGENT_EXEC_ARGV 2
#define ONECLOCK_AGENT_EXEC_COMMAND 3
#define ONECLOCK_AGENT_EXEC_CWD 4
#define ONECLOCK_AGENT_EXEC_ENVIRONMENT 5
#define ONECLOCK_AGENT_EXEC_TERMINAL 6
#define ONECLOCK_AGENT_EXEC_USER 7
#define ONECLOCK_AGENT_EXEC_CREDIT 8

/* Field numbers of Terminal. */
#define ONECLOCK_AGENT_TERMINAL_ROWS 1
#define ONECLOCK_AGENT_TERMINAL_COLUMNS 2

/* Field numbers of Stdin. */
#define ONECLOCK_AGENT_STDIN_ID 1
#define ONECLOCK_AGENT_STDIN_BYTES 2
#define ONECLOCK_AGENT_STDIN_END 3

/* Field numbers of Signal. */
#define ONECLOCK_AGENT_SIGNAL_ID 1
#define ONECLOCK_AGENT_SIGNAL_NUMBER 2

/* Field numbers of Resize. */
#define ONECLOCK_AGENT_RESIZE_ID 1
#define ONECLOCK_AGENT_RESIZE_TERMINAL 2

/* Field numbers of Credit. */
#define ONECLOCK_AGENT_CREDIT_ID 1
#define ONECLOCK_AGENT_CREDIT_BYTES 2

/* Field numbers of Put. */
#define ONECLOCK_AGENT_PUT_ID 1
#define ONECLOCK_AGENT_PUT_PATH 2
#define ONECLOCK_AGENT_PUT_MODE 3

/* Field numbers of FileData. */
#define ONECLOCK_AGENT_FILE_DATA_ID 1
#define ONECLOCK_AGENT_FILE_DATA_BYTES 2
#define ONECLOCK_AGENT_FILE_DATA_END 3

/* Field numbers of Get. */
#define ONECLOCK_AGENT_GET_ID 1
#define ONECLOCK_AGENT_GET_PATH 2
#define ONECLOCK_AGENT_GET_CREDIT 3

/* Field numbers of Cancel. */
#define ONECLOCK_AGENT_CANCEL_ID 1

/* Field numbers of Taken. */
#define ONECLOCK_AGENT_TAKEN_BYTES 1

#endif
