// SPDX-License-Identifier: MIT

/**
 * What Linux for x86 and its boot loader say to each other: Documentation/arch/x86/boot.rst (boot protocol),
 * zero-page.rst; arch/x86/include/uapi/asm/{bootparam,setup_data}.h. Offsets and sizes in bytes, all little-endian.
 */

/** Fields of `struct boot_params`, the zero page. */
export const BootParams = {
  /** u64: where the root table of ACPI is; 0: nowhere that is known. */
  ACPI_RSDP: 0x070,
  /** u8: entries of the memory map. */
  E820_ENTRIES: 0x1e8,
  /** The setup header, copied from the kernel. */
  SETUP_HEADER: 0x1f1,
  /** The memory map. */
  E820_TABLE: 0x2d0,
  BYTES: 4096,
} as const;

/** An entry of the memory map: address u64, size u64, type u32. */
export const E820_ENTRY_BYTES = 20;
export const E820_RAM = 1;

/** Fields of the setup header, from the beginning of a bzImage as of `struct boot_params`. */
export const SetupHeader = {
  /** u8: sectors of real-mode code behind the first; 0 means 4. */
  SETUP_SECTS: 0x1f1,
  /** u32: the protected-mode code, in units of 16 bytes. */
  SYSSIZE: 0x1f4,
  /** u16: {@link BOOT_FLAG}. */
  BOOT_FLAG: 0x1fe,
  /** u8: of the jump over the header, counted from the byte behind it: where the header ends. */
  JUMP_LENGTH: 0x201,
  /** u32: {@link HEADER_MAGIC}. */
  HEADER: 0x202,
  /** u16: of the boot protocol, 0x020c for 2.12. */
  VERSION: 0x206,
  /** u8. */
  TYPE_OF_LOADER: 0x210,
  /** u8: {@link LOADED_HIGH} and others. */
  LOADFLAGS: 0x211,
  /** u32 each. */
  RAMDISK_IMAGE: 0x218,
  RAMDISK_SIZE: 0x21c,
  /** u32: the address of the command line. */
  CMD_LINE_PTR: 0x228,
  /** u32: the last address that the initial file system may have. */
  INITRD_ADDR_MAX: 0x22c,
  /** u16: {@link XLF_KERNEL_64} and others. */
  XLOADFLAGS: 0x236,
  /** u32: the longest command line, without its zero. */
  CMDLINE_SIZE: 0x238,
  /** u64: the first of a list of `struct setup_data`. */
  SETUP_DATA: 0x250,
  /** u64: where the kernel likes to be. */
  PREF_ADDRESS: 0x258,
  /** u32: how much memory it needs there before it looks at the memory map. */
  INIT_SIZE: 0x260,
  /** Where the header of 2.12 ends at least, and where what follows it in `struct boot_params` begins. */
  MIN_END: 0x268,
  MAX_END: 0x290,
} as const;

export const BOOT_FLAG = 0xaa55;
/** "HdrS". */
export const HEADER_MAGIC = 0x5372_6448;
/** Bit of LOADFLAGS: the protected-mode code belongs above 1 MiB. */
export const LOADED_HIGH = 1;
/** Bit of XLOADFLAGS: the kernel has a 64-bit entry, {@link ENTRY_64} bytes from where it is loaded. */
export const XLF_KERNEL_64 = 1;
export const ENTRY_64 = 0x200;
/** TYPE_OF_LOADER of one that has no number. */
export const UNDEFINED_LOADER = 0xff;
/** The first version with XLOADFLAGS. */
export const MIN_VERSION = 0x020c;
export const SECTOR_BYTES = 512;

/** `struct setup_data`: next u64, type u32, length u32, then the data. */
export const SetupData = { NEXT: 0, TYPE: 8, LENGTH: 12, DATA: 16 } as const;
/** Its type for a seed of the random generator, since Linux 6.0. */
export const SETUP_RNG_SEED = 9;
