using Kata.Linux.Interop;
using Case = (string Title, string Command, System.Action<Kata.Runtime.Tests.BrokenSetup> BreakIt);

namespace Kata.Runtime.Tests;

/// <summary>The set-ups: a title, the command, and the one thing that is broken. No command gets as far as making anything.</summary>
internal static class ErrorCases
{
    private const string Create = "create --bundle {dir}/bundle c1";

    public static IEnumerable<Case> Bundles() =>
    [
        ("The bundle does not exist", "create --bundle {dir}/none c1", static _ => { }),
        ("The bundle is a file", "create --bundle {dir}/file c1", static _ => { }),
        ("There is no config.json", Create, static setup => File.Delete(setup.File("bundle/config.json"))),
        ("config.json is empty", Create, static setup => setup.Write("bundle/config.json", "")),
        ("config.json is not JSON", Create, static setup => setup.Write("bundle/config.json", "{\n  \"ociVersion\": 1.0.2\n}")),
        ("config.json is a list", Create, static setup => setup.Write("bundle/config.json", "[]")),
        ("config.json cannot be read", Create, static setup =>
        {
            File.Delete(setup.File("bundle/config.json"));
            Directory.CreateDirectory(setup.File("bundle/config.json"));
        }),
        ("The root file system is missing", Create, static setup => Directory.Delete(setup.File("bundle/rootfs"))),
        ("The root file system is a file", Create, static setup => setup.Set("/root/path", $"\"{setup.File("file")}\"")),
    ];

    public static IEnumerable<Case> Specifications() =>
    [
        Field("The specification is of a later major version", "/ociVersion", "\"2.0.0\""),
        Field("There is no process", "/process", "null"),
        Field("There is no root", "/root", "null"),
        Field("The program is a string", "/process/args", "\"sh\""),
        Field("The program is empty", "/process/args", "[]"),
        Field("The working directory is relative", "/process/cwd", "\"tmp\""),
        Field("The user is negative", "/process/user/uid", "-1"),
        Field("A limit is above its maximum", "/process/rlimits", "[{\"type\":\"RLIMIT_NOFILE\",\"soft\":2,\"hard\":1}]"),
        Field("The host name is too long", "/hostname", $"\"{new string('h', 65)}\""),
        Field("A namespace is unknown", "/linux/namespaces/0/type", "\"cake\""),
        Field("A mount point is relative", "/mounts/0/destination", "\"proc\""),
        Field("A file system is unknown", "/mounts/0/type", "\"zfs\""),
        Field(
            "What is to be mounted does not exist", "/mounts/0", "{\"destination\":\"/m\",\"type\":\"bind\",\"source\":\"/nonexistent\"}"),
        ("A fifo is to be mounted", Create, static setup =>
        {
            Assert.Equal(0, LibC.mkfifo(setup.File("fifo"), 0x180));
            setup.Set("/mounts/0", $"{{\"destination\":\"/m\",\"type\":\"bind\",\"source\":\"{setup.File("fifo")}\"}}");
        }),
        Field("A device of the host is wanted", "/linux/devices", "[{\"path\":\"/dev/sda\",\"type\":\"b\",\"major\":8,\"minor\":0}]"),
        Field("An annotation is not enabled", "/annotations", "{\"io.katacontainers.config.hypervisor.default_memory\":\"512\"}"),
        Field(
            "The pod of the container does not exist",
            "/annotations",
            "{\"io.kubernetes.cri.container-type\":\"container\",\"io.kubernetes.cri.sandbox-id\":\"pod\"}"),
        Field("A terminal without anybody to hold it", "/process/terminal", "true"),
        ("A console socket without a terminal", "create --bundle {dir}/bundle --console-socket {dir}/s c1", static _ => { }),
        ("A console socket in the foreground", "run --bundle {dir}/bundle --console-socket {dir}/s c1", static setup =>
            setup.Set("/process/terminal", "true")),
    ];

    public static IEnumerable<Case> Configurations() =>
    [
        ("The configuration does not exist", "--kata-config {dir}/none.toml " + Create, static _ => { }),
        ("The configuration is a directory", "--kata-config {dir} " + Create, static _ => { }),
        ("The configuration is not TOML", Create, static setup => setup.Write("configuration.toml", "[hypervisor.qemu\n")),
        Key("A key has the wrong type", "default_memory = \"2G\""),
        Key("A key is out of range", "default_memory = 1"),
        Key("A key has an unknown value", "machine_type = \"pdp11\""),
        Key("A path is relative", "kernel = \"vmlinuz\""),
        Key("An image and an initial RAM disk", "image = \"/a\"\ninitrd = \"/b\""),
        Key("A pattern of annotations is broken", "enable_annotations = [\"(\"]"),
        Key("A protection that does not exist yet", "confidential_guest = true"),
        ("A time limit is negative", Create, static setup => setup.Configure("", "[kata]\nboot_timeout = -1\n")),
        ("The hypervisor is unknown", Create, static setup => setup.Write("configuration.toml", "[hypervisor.vbox]\npath = \"/x\"\n")),
        Key("The hypervisor does not exist", "path = \"/nonexistent/qemu\""),
        Key("virtiofsd does not exist", "virtio_fs_daemon = \"/nonexistent/virtiofsd\""),
        Key("The kernel does not exist", "kernel = \"/nonexistent/vmlinuz\""),
        Key("The guest image does not exist", "initrd = \"/nonexistent/initrd\""),
        Key("The kernel is a directory", "kernel = \"/tmp\""),
    ];

    public static IEnumerable<Case> Ids(string longId) =>
    [
        ("The id has a slash", "create --bundle {dir}/bundle a/b", static _ => { }),
        ("The id is a directory", "create --bundle {dir}/bundle ..", static _ => { }),
        ("The id is empty", "create --bundle {dir}/bundle ''", static _ => { }),
        ("The id has a thousand characters", "create --bundle {dir}/bundle " + longId, static _ => { }),
        ("The id is taken", Create, static setup => setup.Claim("c1")),
        ("The id is unknown to start", "start c1", static _ => { }),
        ("The id is unknown to exec", "exec c1 true", static _ => { }),
        ("The id is unknown to state", "state c1", static _ => { }),
        ("The id is unknown to kill", "kill c1", static _ => { }),
        ("The id is unknown to delete", "delete c1", static _ => { }),
        ("Several ids begin so", "state web", static setup => setup.Claim("web1", "web2", "db")),
        ("An id that is gone begins another", "kill web TERM", static setup => setup.Claim("web2")),
        ("The pod's service is gone", "kill c1 TERM", static setup => setup.Claim("c1")),
    ];

    public static IEnumerable<Case> CommandLines() =>
    [
        ("A command is misspelled", "creat c1", static _ => { }),
        ("A command is unknown", "frobnicate", static _ => { }),
        ("Help about a command that is unknown", "frobnicate -h", static _ => { }),
        ("A command below a command is misspelled", "config sho", static _ => { }),
        ("A command below a command is missing", "config", static _ => { }),
        ("An option is misspelled", "create --bundel {dir}/bundle c1", static _ => { }),
        ("An option is unknown", "create --frobnicate c1", static _ => { }),
        ("A global option is unknown", "--frobnicate list", static _ => { }),
        ("An argument is missing", "create", static _ => { }),
        ("An argument is too much", "state a b", static _ => { }),
        ("The value of an option is missing", "list --format", static _ => { }),
        ("The value of an option is unknown", "list --format xml", static _ => { }),
        ("The value of an option is no number", "create --preserve-fds many c1", static _ => { }),
        ("A shell is unknown", "completion tcsh", static _ => { }),
        ("Descriptors are to be passed", "create --bundle {dir}/bundle --preserve-fds 3 c1", static _ => { }),
        ("The signal is unknown", "kill c1 SIGFROB", static _ => { }),
        ("No program is named", "exec c1", static setup => setup.Claim("c1")),
        ("The process document does not exist", "exec --process {dir}/none.json c1", static setup => setup.Claim("c1")),
        ("The process document is empty", "exec --process {dir}/file c1", static setup => setup.Claim("c1")),
        ("A control group is chosen", "exec --cgroup /sub c1 true", static setup => setup.Claim("c1")),
        ("A rootless specification is wanted", "spec --bundle {dir}/bundle --rootless", static _ => { }),
        ("A container is to be saved", "checkpoint --image-path {dir} c1", static _ => { }),
        ("A container is to be restored", "restore --bundle {dir}/bundle c1", static _ => { }),
    ];

    public static IEnumerable<Case> Files() =>
    [
        ("The state root is a file", Create, static setup =>
        {
            if (Directory.Exists(setup.File("root")))
            {
                Directory.Delete(setup.File("root"), recursive: true);
            }

            setup.Write("root", "");
        }),
        ("The manual's directory cannot be made", "man --output {dir}/file/man", static _ => { }),
        ("The document of limits is below a file", "update --resources {dir}/file/none.json c1", static setup => setup.Claim("c1")),
        ("The document of an interface does not exist", "network add-iface c1 {dir}/none.json", static setup => setup.Claim("c1")),
        ("The document of an interface is a list", "network update-iface c1 {dir}/iface.json", static setup =>
            setup.Write("iface.json", "[]")),
        ("A flag of an interface cannot be set", "network update-iface c1 {dir}/iface.json", static setup =>
            setup.Write("iface.json", "{\"name\":\"eth0\",\"RawFlags\":256}")),
        ("An address of an interface has no prefix", "kata-network add-iface c1 {dir}/iface.json", static setup =>
            setup.Write("iface.json", "{\"name\":\"eth0\",\"IPAddresses\":[{\"Address\":\"10.0.0.2\"}]}")),
        ("A list of routes has something else", "network update-routes c1 {dir}/routes.json", static setup =>
            setup.Write("routes.json", "[{\n  \"dest\": 5}]")),
        ("The destination of a route is none", "route add c1 everywhere", static _ => { }),
        ("The pod is unknown to network", "network list-ifaces c1", static _ => { }),
        ("There is a config.json already", "spec --bundle {dir}/bundle", static _ => { }),
        ("The bundle to write to does not exist", "spec --bundle {dir}/none", static _ => { }),
        ("The log cannot be opened", "--log {dir}/none/log list", static _ => { }),
        ("The state of a pod is damaged", "state c1", static setup =>
        {
            setup.Claim("c1");
            Directory.CreateDirectory(setup.File("root/c1"));
            setup.Write("root/c1/state.json", "{");
        }),
    ];

    private static Case Field(string title, string pointer, string json) => (title, Create, setup => setup.Set(pointer, json));

    private static Case Key(string title, string lines) => (title, Create, setup => setup.Configure(lines));
}
