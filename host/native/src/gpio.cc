// SPDX-License-Identifier: MIT
#include "gpio.hh"

#include <fcntl.h>
#include <linux/gpio.h>
#include <sys/ioctl.h>

#include "descriptor.hh"

namespace oneclock {
namespace {

gpio_v2_line_config config_of(uint64_t flags, bool level) {
  gpio_v2_line_config config = {};
  config.flags = flags;
  if ((flags & GPIO_V2_LINE_FLAG_OUTPUT) != 0) {
    config.num_attrs = 1;
    config.attrs[0].mask = 1;
    config.attrs[0].attr.id = GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES;
    config.attrs[0].attr.values = level ? 1 : 0;
  }
  return config;
}

}  // namespace

int request_line(const std::string& chip, uint32_t offset, uint64_t flags, bool level) {
  Descriptor device(check(open(chip.c_str(), O_RDWR | O_CLOEXEC), chip));
  gpio_v2_line_request request = {};
  request.offsets[0] = offset;
  request.num_lines = 1;
  std::string("oneclock").copy(request.consumer, sizeof(request.consumer) - 1);
  request.config = config_of(flags, level);
  check(ioctl(device.get(), GPIO_V2_GET_LINE_IOCTL, &request), "GPIO_V2_GET_LINE");
  return request.fd;
}

void configure_line(int line, uint64_t flags, bool level) {
  gpio_v2_line_config config = config_of(flags, level);
  check(ioctl(line, GPIO_V2_LINE_SET_CONFIG_IOCTL, &config), "GPIO_V2_LINE_SET_CONFIG");
}

bool read_line(int line) {
  gpio_v2_line_values values = {};
  values.mask = 1;
  check(ioctl(line, GPIO_V2_LINE_GET_VALUES_IOCTL, &values), "GPIO_V2_LINE_GET_VALUES");
  return (values.bits & 1) != 0;
}

void write_line(int line, bool level) {
  gpio_v2_line_values values = {};
  values.mask = 1;
  values.bits = level ? 1 : 0;
  check(ioctl(line, GPIO_V2_LINE_SET_VALUES_IOCTL, &values), "GPIO_V2_LINE_SET_VALUES");
}

}  // namespace oneclock
