using System.Globalization;
using Kata.Sandbox;
using GuestProcess = Kata.Agent.Protocol.Extension.GuestProcess;

namespace Kata.Runtime.Processes;

/// <summary>The columns of ps(1) that mean something for a container, by their names, with the headings and widths of procps.</summary>
internal static class PsColumns
{
    private static readonly Dictionary<string, PsColumn> s_columns = Build();

    /// <summary>Every name, in order.</summary>
    public static IEnumerable<string> Names => s_columns.Keys.Order(StringComparer.Ordinal);

    public static PsColumn? Find(string name) => s_columns.GetValueOrDefault(name);

    private static Dictionary<string, PsColumn> Build()
    {
        var columns = new Dictionary<string, PsColumn>(StringComparer.Ordinal);
        Add(["pid", "tgid"], new PsColumn("PID", 7, true, static (process, _) => Text(process.Pid)));
        Add(["ppid"], new PsColumn("PPID", 7, true, static (process, _) => Text(process.ContainerParentPid)));
        Add(["pgid", "pgrp"], new PsColumn("PGID", 7, true, static (process, _) => Text(process.GroupId)));
        Add(["sid", "sess", "session"], new PsColumn("SID", 7, true, static (process, _) => Text(process.SessionId)));
        Add(["user", "uname", "euser", "ruser"], new PsColumn("USER", 8, false, static (process, _) => User(process.Uid)));
        Add(["uid", "euid"], new PsColumn("UID", 5, true, static (process, _) => Text(process.Uid)));
        Add(["gid", "egid"], new PsColumn("GID", 5, true, static (process, _) => Text(process.Gid)));
        Add(["group", "egroup"], new PsColumn("GROUP", 8, false, static (process, _) => User(process.Gid)));
        Add(["comm", "ucmd", "ucomm"], new PsColumn("COMMAND", 0, false, static (process, _) => GuestText.Escape(process.Name)));
        Add(["args", "command"], new PsColumn("COMMAND", 0, false, static (process, _) => GuestText.Escape(process.Command)));
        Add(["cmd"], new PsColumn("CMD", 0, false, static (process, _) => GuestText.Escape(process.Command)));
        Add(["s", "state"], new PsColumn("S", 1, false, static (process, _) => GuestText.Escape(process.State)));
        Add(["stat"], new PsColumn("STAT", 4, false, static (process, _) => State(process)));
        Add(["tty", "tt", "tname"], new PsColumn("TTY", 8, false, static (process, _) => PsText.Terminal(process.Terminal)));
        Add(["time", "cputime"], new PsColumn("TIME", 8, true, static (process, _) => PsText.Time(process.CpuMs)));
        Add(["bsdtime"], new PsColumn("TIME", 6, true, static (process, _) => PsText.ShortTime(process.CpuMs)));
        Add(["etime"], new PsColumn("ELAPSED", 11, true, static (process, _) => PsText.Elapsed(process.AgeMs)));
        Add(["etimes"], new PsColumn("ELAPSED", 7, true, static (process, _) => Text(process.AgeMs / 1000)));
        Add(["stime", "start_time"], new PsColumn("STIME", 5, false, static (process, now) => PsText.Started(process.AgeMs, now)));
        Add(["bsdstart"], new PsColumn("START", 6, true, static (process, now) => PsText.Started(process.AgeMs, now)));
        Add(["start"], new PsColumn("STARTED", 8, true, static (process, now) => PsText.Started(process.AgeMs, now)));
        Add(["c"], new PsColumn("C", 2, true, static (process, _) => Text(PsText.Permille(process) / 10)));
        Add(["pcpu", "%cpu"], new PsColumn("%CPU", 4, true, static (process, _) => Percent(PsText.Permille(process))));
        Add(["pmem", "%mem"], new PsColumn("%MEM", 4, true, static (process, _) => Percent(process.ResidentPermille)));
        Add(["rss", "rssize", "rsz"], new PsColumn("RSS", 5, true, static (process, _) => Text(process.ResidentBytes / 1024)));
        Add(["vsz", "vsize"], new PsColumn("VSZ", 6, true, static (process, _) => Text(process.VirtualBytes / 1024)));
        Add(["nlwp", "thcount"], new PsColumn("NLWP", 4, true, static (process, _) => Text(process.Threads)));
        Add(["ni", "nice"], new PsColumn("NI", 3, true, static (process, _) => Text(process.Nice)));
        return columns;

        void Add(string[] names, PsColumn column)
        {
            foreach (string name in names)
            {
                columns.Add(name, column);
            }
        }
    }

    // The container's own /etc/passwd is its own affair; 0 is root everywhere.
    private static string User(uint id) => id == 0 ? "root" : Text(id);

    private static string State(GuestProcess process)
    {
        string text = GuestText.Escape(process.State);
        text += process.Nice < 0 ? "<" : process.Nice > 0 ? "N" : "";
        text += process.SessionId == process.Pid ? "s" : "";
        text += process.Threads > 1 ? "l" : "";
        return process.Foreground ? $"{text}+" : text;
    }

    private static string Percent(ulong permille) => (permille / 10.0).ToString("0.0", CultureInfo.InvariantCulture);

    private static string Text<T>(T value)
        where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);
}
