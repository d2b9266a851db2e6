r"""A plant of real stacks in network namespaces, with a link whose faults are known.

plc1 plc2 ua1 edge1 - [switch control] == link emulator == [router] - supervisory: scada1 ua-client1 ews1
                            SPAN C                          SPAN R    - operations:  broker1 sub1 jump1
                                                                      - enterprise:  office1
                                                                      - vendor:      vendor1
"""
