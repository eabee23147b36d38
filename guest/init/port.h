/* SPDX-License-Identifier: MIT */
#ifndef ONECLOCK_PORT_H
#define ONECLOCK_PORT_H

/*
 * Opens the port of a virtio console with this name, and waits for it if a console with ports is there. -1: there is
 * none. Needs /proc, /sys and /dev.
 */
int port_open(const char *name);

#endif
