// SPDX-License-Identifier: MIT
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as virtio from './index.js';

const FOLDER = '/usr/include/linux';
const present = existsSync(`${FOLDER}/virtio_ring.h`);

/** The value of `#define name` in a kernel header of this machine. */
function defined(header: string, name: string): number {
  const text = readFileSync(`${FOLDER}/${header}`, 'utf8');
  const found = new RegExp(`^#define\\s+${name}\\s+(?:\\(1 << (\\d+)\\)|(0x[0-9a-fA-F]+|\\d+))`, 'm').exec(
    text,
  );
  if (!found) throw new Error(`${header} has no ${name}`);
  return found[1] === undefined ? Number(found[2]) : 1 << Number(found[1]);
}

describe.skipIf(!present)(
  `constants agree with the kernel headers${present ? '' : ' (linux-libc-dev is missing)'}`,
  () => {
    it.each([
      ['virtio_ids.h', 'VIRTIO_ID_NET', virtio.DeviceType.NET],
      ['virtio_ids.h', 'VIRTIO_ID_CONSOLE', virtio.DeviceType.CONSOLE],
      ['virtio_ids.h', 'VIRTIO_ID_RNG', virtio.DeviceType.RNG],
      ['virtio_ids.h', 'VIRTIO_ID_GPIO', virtio.DeviceType.GPIO],
      ['virtio_config.h', 'VIRTIO_CONFIG_S_ACKNOWLEDGE', virtio.Status.ACKNOWLEDGE],
      ['virtio_config.h', 'VIRTIO_CONFIG_S_DRIVER', virtio.Status.DRIVER],
      ['virtio_config.h', 'VIRTIO_CONFIG_S_DRIVER_OK', virtio.Status.DRIVER_OK],
      ['virtio_config.h', 'VIRTIO_CONFIG_S_FEATURES_OK', virtio.Status.FEATURES_OK],
      ['virtio_config.h', 'VIRTIO_CONFIG_S_NEEDS_RESET', virtio.Status.NEEDS_RESET],
      ['virtio_config.h', 'VIRTIO_CONFIG_S_FAILED', virtio.Status.FAILED],
      ['virtio_config.h', 'VIRTIO_F_VERSION_1', virtio.Feature.VERSION_1],
      ['virtio_ring.h', 'VIRTIO_RING_F_INDIRECT_DESC', virtio.Feature.RING_INDIRECT_DESC],
      ['virtio_ring.h', 'VIRTIO_RING_F_EVENT_IDX', virtio.Feature.RING_EVENT_IDX],
      ['virtio_ring.h', 'VRING_DESC_F_NEXT', virtio.DescriptorFlag.NEXT],
      ['virtio_ring.h', 'VRING_DESC_F_WRITE', virtio.DescriptorFlag.WRITE],
      ['virtio_ring.h', 'VRING_DESC_F_INDIRECT', virtio.DescriptorFlag.INDIRECT],
      ['virtio_ring.h', 'VRING_USED_F_NO_NOTIFY', virtio.USED_NO_NOTIFY],
      ['virtio_ring.h', 'VRING_AVAIL_F_NO_INTERRUPT', virtio.AVAILABLE_NO_INTERRUPT],
      ['virtio_ring.h', 'VRING_DESC_ALIGN_SIZE', virtio.Alignment.DESCRIPTOR_TABLE],
      ['virtio_ring.h', 'VRING_AVAIL_ALIGN_SIZE', virtio.Alignment.AVAILABLE],
      ['virtio_ring.h', 'VRING_USED_ALIGN_SIZE', virtio.Alignment.USED],
      ['virtio_net.h', 'VIRTIO_NET_F_MTU', virtio.NetFeature.MTU],
      ['virtio_net.h', 'VIRTIO_NET_F_MAC', virtio.NetFeature.MAC],
      ['virtio_net.h', 'VIRTIO_NET_F_MRG_RXBUF', virtio.NetFeature.MRG_RXBUF],
      ['virtio_net.h', 'VIRTIO_NET_F_STATUS', virtio.NetFeature.STATUS],
      ['virtio_net.h', 'VIRTIO_NET_S_LINK_UP', virtio.NET_STATUS_LINK_UP],
      ['virtio_console.h', 'VIRTIO_CONSOLE_F_SIZE', virtio.ConsoleFeature.SIZE],
      ['virtio_console.h', 'VIRTIO_CONSOLE_F_MULTIPORT', virtio.ConsoleFeature.MULTIPORT],
      ['virtio_console.h', 'VIRTIO_CONSOLE_F_EMERG_WRITE', virtio.ConsoleFeature.EMERGENCY_WRITE],
      ['virtio_console.h', 'VIRTIO_CONSOLE_DEVICE_READY', virtio.ControlEvent.DEVICE_READY],
      ['virtio_console.h', 'VIRTIO_CONSOLE_PORT_ADD', virtio.ControlEvent.PORT_ADD],
      ['virtio_console.h', 'VIRTIO_CONSOLE_PORT_REMOVE', virtio.ControlEvent.PORT_REMOVE],
      ['virtio_console.h', 'VIRTIO_CONSOLE_PORT_READY', virtio.ControlEvent.PORT_READY],
      ['virtio_console.h', 'VIRTIO_CONSOLE_CONSOLE_PORT', virtio.ControlEvent.CONSOLE_PORT],
      ['virtio_console.h', 'VIRTIO_CONSOLE_RESIZE', virtio.ControlEvent.RESIZE],
      ['virtio_console.h', 'VIRTIO_CONSOLE_PORT_OPEN', virtio.ControlEvent.PORT_OPEN],
      ['virtio_console.h', 'VIRTIO_CONSOLE_PORT_NAME', virtio.ControlEvent.PORT_NAME],
      ['virtio_gpio.h', 'VIRTIO_GPIO_F_IRQ', virtio.GpioFeature.IRQ],
      ['virtio_gpio.h', 'VIRTIO_GPIO_MSG_GET_NAMES', virtio.GpioMessage.GET_LINE_NAMES],
      ['virtio_gpio.h', 'VIRTIO_GPIO_MSG_GET_DIRECTION', virtio.GpioMessage.GET_DIRECTION],
      ['virtio_gpio.h', 'VIRTIO_GPIO_MSG_SET_DIRECTION', virtio.GpioMessage.SET_DIRECTION],
      ['virtio_gpio.h', 'VIRTIO_GPIO_MSG_GET_VALUE', virtio.GpioMessage.GET_VALUE],
      ['virtio_gpio.h', 'VIRTIO_GPIO_MSG_SET_VALUE', virtio.GpioMessage.SET_VALUE],
      ['virtio_gpio.h', 'VIRTIO_GPIO_MSG_IRQ_TYPE', virtio.GpioMessage.SET_IRQ_TYPE],
      ['virtio_gpio.h', 'VIRTIO_GPIO_STATUS_OK', virtio.GpioStatus.OK],
      ['virtio_gpio.h', 'VIRTIO_GPIO_STATUS_ERR', virtio.GpioStatus.ERROR],
      ['virtio_gpio.h', 'VIRTIO_GPIO_DIRECTION_NONE', virtio.GpioDirection.NONE],
      ['virtio_gpio.h', 'VIRTIO_GPIO_DIRECTION_OUT', virtio.GpioDirection.OUT],
      ['virtio_gpio.h', 'VIRTIO_GPIO_DIRECTION_IN', virtio.GpioDirection.IN],
      ['virtio_gpio.h', 'VIRTIO_GPIO_IRQ_TYPE_NONE', virtio.GpioIrqType.NONE],
      ['virtio_gpio.h', 'VIRTIO_GPIO_IRQ_TYPE_EDGE_RISING', virtio.GpioIrqType.EDGE_RISING],
      ['virtio_gpio.h', 'VIRTIO_GPIO_IRQ_TYPE_EDGE_FALLING', virtio.GpioIrqType.EDGE_FALLING],
      ['virtio_gpio.h', 'VIRTIO_GPIO_IRQ_TYPE_EDGE_BOTH', virtio.GpioIrqType.EDGE_BOTH],
      ['virtio_gpio.h', 'VIRTIO_GPIO_IRQ_TYPE_LEVEL_HIGH', virtio.GpioIrqType.LEVEL_HIGH],
      ['virtio_gpio.h', 'VIRTIO_GPIO_IRQ_TYPE_LEVEL_LOW', virtio.GpioIrqType.LEVEL_LOW],
      ['virtio_gpio.h', 'VIRTIO_GPIO_IRQ_STATUS_INVALID', virtio.GpioIrqStatus.INVALID],
      ['virtio_gpio.h', 'VIRTIO_GPIO_IRQ_STATUS_VALID', virtio.GpioIrqStatus.VALID],
      ['virtio_mmio.h', 'VIRTIO_MMIO_MAGIC_VALUE', virtio.MmioRegister.MAGIC_VALUE],
      ['virtio_mmio.h', 'VIRTIO_MMIO_VERSION', virtio.MmioRegister.VERSION],
      ['virtio_mmio.h', 'VIRTIO_MMIO_DEVICE_ID', virtio.MmioRegister.DEVICE_ID],
      ['virtio_mmio.h', 'VIRTIO_MMIO_VENDOR_ID', virtio.MmioRegister.VENDOR_ID],
      ['virtio_mmio.h', 'VIRTIO_MMIO_DEVICE_FEATURES', virtio.MmioRegister.DEVICE_FEATURES],
      ['virtio_mmio.h', 'VIRTIO_MMIO_DEVICE_FEATURES_SEL', virtio.MmioRegister.DEVICE_FEATURES_SEL],
      ['virtio_mmio.h', 'VIRTIO_MMIO_DRIVER_FEATURES', virtio.MmioRegister.DRIVER_FEATURES],
      ['virtio_mmio.h', 'VIRTIO_MMIO_DRIVER_FEATURES_SEL', virtio.MmioRegister.DRIVER_FEATURES_SEL],
      ['virtio_mmio.h', 'VIRTIO_MMIO_QUEUE_SEL', virtio.MmioRegister.QUEUE_SEL],
      ['virtio_mmio.h', 'VIRTIO_MMIO_QUEUE_NUM_MAX', virtio.MmioRegister.QUEUE_NUM_MAX],
      ['virtio_mmio.h', 'VIRTIO_MMIO_QUEUE_NUM', virtio.MmioRegister.QUEUE_NUM],
      ['virtio_mmio.h', 'VIRTIO_MMIO_QUEUE_READY', virtio.MmioRegister.QUEUE_READY],
      ['virtio_mmio.h', 'VIRTIO_MMIO_QUEUE_NOTIFY', virtio.MmioRegister.QUEUE_NOTIFY],
      ['virtio_mmio.h', 'VIRTIO_MMIO_INTERRUPT_STATUS', virtio.MmioRegister.INTERRUPT_STATUS],
      ['virtio_mmio.h', 'VIRTIO_MMIO_INTERRUPT_ACK', virtio.MmioRegister.INTERRUPT_ACK],
      ['virtio_mmio.h', 'VIRTIO_MMIO_STATUS', virtio.MmioRegister.STATUS],
      ['virtio_mmio.h', 'VIRTIO_MMIO_QUEUE_DESC_LOW', virtio.MmioRegister.QUEUE_DESC_LOW],
      ['virtio_mmio.h', 'VIRTIO_MMIO_QUEUE_DESC_HIGH', virtio.MmioRegister.QUEUE_DESC_HIGH],
      ['virtio_mmio.h', 'VIRTIO_MMIO_QUEUE_AVAIL_LOW', virtio.MmioRegister.QUEUE_AVAIL_LOW],
      ['virtio_mmio.h', 'VIRTIO_MMIO_QUEUE_AVAIL_HIGH', virtio.MmioRegister.QUEUE_AVAIL_HIGH],
      ['virtio_mmio.h', 'VIRTIO_MMIO_QUEUE_USED_LOW', virtio.MmioRegister.QUEUE_USED_LOW],
      ['virtio_mmio.h', 'VIRTIO_MMIO_QUEUE_USED_HIGH', virtio.MmioRegister.QUEUE_USED_HIGH],
      ['virtio_mmio.h', 'VIRTIO_MMIO_SHM_SEL', virtio.MmioRegister.SHM_SEL],
      ['virtio_mmio.h', 'VIRTIO_MMIO_SHM_LEN_LOW', virtio.MmioRegister.SHM_LEN_LOW],
      ['virtio_mmio.h', 'VIRTIO_MMIO_SHM_LEN_HIGH', virtio.MmioRegister.SHM_LEN_HIGH],
      ['virtio_mmio.h', 'VIRTIO_MMIO_SHM_BASE_LOW', virtio.MmioRegister.SHM_BASE_LOW],
      ['virtio_mmio.h', 'VIRTIO_MMIO_SHM_BASE_HIGH', virtio.MmioRegister.SHM_BASE_HIGH],
      ['virtio_mmio.h', 'VIRTIO_MMIO_CONFIG_GENERATION', virtio.MmioRegister.CONFIG_GENERATION],
      ['virtio_mmio.h', 'VIRTIO_MMIO_CONFIG', virtio.MmioRegister.CONFIG],
      ['virtio_mmio.h', 'VIRTIO_MMIO_INT_VRING', virtio.MmioInterrupt.USED_BUFFER],
      ['virtio_mmio.h', 'VIRTIO_MMIO_INT_CONFIG', virtio.MmioInterrupt.CONFIG_CHANGE],
    ])('%s: %s', (header, name, value) => {
      expect(value).toBe(defined(header, name));
    });
  },
);

describe('console queues', () => {
  it('lie as section 5.3.2 says', () => {
    expect([0, 1, 2].map(virtio.receiveQueueOf)).toEqual([0, 4, 6]);
    expect([0, 1, 2].map(virtio.transmitQueueOf)).toEqual([1, 5, 7]);
  });
});
