#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# uml.sh release|debug SESSIONS SECONDS: the soak in User Mode Linux.
set -eu
cd "$(dirname "$0")/../.."
kernel=$(selftests/uml/kernel.sh "$1")
make -s module ARCH=um "KREL=uml-$1" "KDIR=$kernel" > build/uml/module.log 2>&1 || { cat build/uml/module.log; exit 1; }
export VM_MODULE=$PWD/build/kmod/uml-$1/ktls.ko
cat > build/uml/soak.sh <<END
#!/bin/bash
export VM_MODULE=$VM_MODULE
exec selftests/soak/run.sh $2 $3
END
chmod +x build/uml/soak.sh
exec selftests/uml/run.sh -k "$1" -m 2G -t 1200 -o kmemleak=off build/uml/soak.sh
