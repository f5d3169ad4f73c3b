#!/bin/sh
# Boots the machine's own systemd in namespaces of its own, over a copy of the root file system that is gone when
# it ends. Process 1 of it is this process:
#
#   unshare --fork --kill-child --pid --mount --uts --ipc --cgroup sh boot_systemd.sh FOLDER DENO INSTALLER
#
# FOLDER/units goes to /etc/systemd/system, FOLDER/etc to /etc/tickborg, and DENO runs INSTALLER for /opt/tickborg.
# The network is the machine's: that is where the test's broker and GitHub are. What would change the machine (sysctl, modules,
# devices, its own services) is masked.
set -eu
folder=$1
deno=$2
installer=$3
root=$folder/root
upper=$folder/upper
mkdir -p "$root" "$upper"

mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$upper"
mkdir "$upper/files" "$upper/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$upper/files,workdir=$upper/work" "$root"

systemd=$root/etc/systemd/system
rm -rf "$systemd"
mkdir -p "$systemd" "$root/etc/tickborg"
for unit in "$root"/lib/systemd/system/sysinit.target.wants/* "$root"/lib/systemd/system/sockets.target.wants/* \
  "$root"/lib/systemd/system/local-fs.target.wants/* "$root"/lib/systemd/system/timers.target.wants/*; do
  case ${unit##*/} in
    systemd-journald*) ;;
    *) ln -sf /dev/null "$systemd/${unit##*/}" ;;
  esac
done
cp -r "$folder/units/." "$systemd/"
cp -r "$folder/etc/." "$root/etc/tickborg/"

mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount --rbind /dev "$root/dev"
if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
  mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
  mkdir "$root/sys/fs/cgroup/systemd" "$root/sys/fs/cgroup/unified"
  mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup/unified"
fi

rm -rf "$root/opt/tickborg"
chroot "$root" "$deno" run --no-config --no-lock -A "$installer" /opt/tickborg > /dev/null
# Only now: the checkout that is installed from may lie below it.
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"

cd "$root"
mkdir -p oldroot
pivot_root . oldroot
cd /
umount -l /oldroot
# As on a machine: systemd hands mounts on from one namespace to another, credentials among them.
mount --make-rshared /
export container=tickborg-test
exec /lib/systemd/systemd --system --unit=tickborg-test.target --log-target=journal --show-status=0
