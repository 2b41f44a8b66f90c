using System.Globalization;
using Kata.Hypervisor.Qemu.Qmp;

namespace Kata.Hypervisor.Qemu;

/// <summary>A file that QEMU opens by <c>/dev/fdset/SET</c>.</summary>
internal sealed record QemuFile(QemuHandle Handle, int Index) : QemuPart
{
    /// <summary>Its name for QEMU.</summary>
    public string Path => string.Create(CultureInfo.InvariantCulture, $"/dev/fdset/{Handle.Set}");

    public override IReadOnlyList<string> Arguments =>
        ["-add-fd", string.Create(CultureInfo.InvariantCulture, $"fd={Handle.Name},set={Handle.Set}")];

    public override IReadOnlyList<QmpCommand> Commands => [new QmpCommand("add-fd", new QmpObject { ["fdset-id"] = Handle.Set })];

    public override QmpCommand Removal => new("remove-fd", new QmpObject { ["fdset-id"] = Handle.Set });

    public override int? Passes => Index;
}
