// Made by 'oneclock types two-nodes.yaml'.
import type { TopologyFile } from 'oneclock';

declare const topology: TopologyFile<{
  nodes: {
    a: { interfaces: { eth0: unknown } };
    b: { interfaces: { eth0: unknown } };
  };
  links: [{ name: 'ab' }];
  switches: [];
  wires: [];
}>;
export default topology;
