#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# uml.sh IDLE BUSY ROUNDS: the load in User Mode Linux.
set -eu
cd "$(dirname "$0")/../.."
kernel=$(selftests/uml/kernel.sh release)
make -s module ARCH=um KREL=uml-release "KDIR=$kernel" > build/uml/module.log 2>&1 || { cat build/uml/module.log; exit 1; }
cat > build/uml/load.sh <<END
#!/bin/bash
export VM_MODULE=$PWD/build/kmod/uml-release/ktls.ko
exec selftests/load/run.sh $*
END
chmod +x build/uml/load.sh
exec selftests/uml/run.sh -k release -m 6G -t 3000 build/uml/load.sh
