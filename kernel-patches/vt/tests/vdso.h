/* SPDX-License-Identifier: GPL-2.0 */
/* Finds functions of the vDSO, so that a test knows which way it goes. */
#ifndef VDSO_H
#define VDSO_H

#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

static inline void *vdso_sym(const char *name)
{
	const char *base = (const char *)getauxval(AT_SYSINFO_EHDR);
	const ElfW(Ehdr) *ehdr = (const void *)base;
	const ElfW(Phdr) *phdr;
	const ElfW(Dyn) *dyn = NULL;
	const ElfW(Sym) *sym = NULL;
	const char *str = NULL;
	const Elf32_Word *hash = NULL, *gnu_hash = NULL;
	unsigned long load = 0, count = 0, i;

	if (!base)
		return NULL;
	phdr = (const void *)(base + ehdr->e_phoff);
	for (i = 0; i < ehdr->e_phnum; i++) {
		if (phdr[i].p_type == PT_LOAD && !load)
			load = (unsigned long)base + phdr[i].p_offset -
				phdr[i].p_vaddr;
		if (phdr[i].p_type == PT_DYNAMIC)
			dyn = (const void *)(base + phdr[i].p_offset);
	}
	for (; dyn && dyn->d_tag != DT_NULL; dyn++) {
		const void *at = (const void *)(load + dyn->d_un.d_ptr);

		if (dyn->d_tag == DT_SYMTAB)
			sym = at;
		else if (dyn->d_tag == DT_STRTAB)
			str = at;
		else if (dyn->d_tag == DT_HASH)
			hash = at;
		else if (dyn->d_tag == DT_GNU_HASH)
			gnu_hash = at;
	}
	if (!sym || !str)
		return NULL;
	if (hash) {
		count = hash[1];
	} else if (gnu_hash) {
		const Elf32_Word *buckets = gnu_hash + 4 +
			gnu_hash[2] * (sizeof(long) / 4);
		const Elf32_Word *chain = buckets + gnu_hash[0];

		for (i = 0; i < gnu_hash[0]; i++) {
			unsigned long n = buckets[i];

			if (n < gnu_hash[1])
				continue;
			while (!(chain[n - gnu_hash[1]] & 1))
				n++;
			if (n + 1 > count)
				count = n + 1;
		}
	}
	for (i = 0; i < count; i++)
		if (sym[i].st_shndx != SHN_UNDEF &&
		    !strcmp(str + sym[i].st_name, name))
			return (void *)(load + sym[i].st_value);
	return NULL;
}

#endif /* VDSO_H */
