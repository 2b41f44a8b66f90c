namespace Kata.Configuration.Tests;

public sealed class ConfigurationTemplateTests
{
    [Fact]
    public void Write_Always_ParsesToTheDefaults()
    {
        string template = Template();

        KataConfiguration fromTemplate = MemoryFiles.Load(template);
        KataConfiguration builtIn = KataConfiguration.Load(new MemoryFiles().Sources());

        Assert.Empty(fromTemplate.Warnings);
        Assert.Empty(fromTemplate.WithoutEffect);
        foreach (ConfigurationKey key in ConfigurationSchema.Keys.Where(key => key.Use == KeyUse.Applied))
        {
            Assert.Equal(builtIn.Values.Find(key.Id)?.ToString(), fromTemplate.Values.Find(key.Id)?.ToString());
            Assert.Contains($"{key.Name} = ", template, StringComparison.Ordinal);
        }

        Assert.Equal(builtIn.Hypervisor.KernelPath, fromTemplate.Hypervisor.KernelPath);
        Assert.Equal(builtIn.Runtime, fromTemplate.Runtime);
        Assert.Equal(builtIn.Limits, fromTemplate.Limits);
    }

    [Fact]
    public void Write_Always_HasNoLongLinesAndNoBlankEnds() =>
        Assert.All(Template().Split('\n'), line => Assert.True(line.Length <= 130 && line == line.TrimEnd(), line));

    [Fact]
    public void Write_CommentedExamples_AreValidToo()
    {
        string template = Template();
        string uncommented = string.Join('\n', template.Split('\n').Select(static line => IsExample(line) ? line[1..] : line));

        Assert.NotEqual(template, uncommented);
        Assert.Empty(MemoryFiles.Load(uncommented).Warnings);

        static bool IsExample(string line) => line.StartsWith('#')
            && !line.StartsWith("# ", StringComparison.Ordinal)
            && !line.StartsWith("#initrd", StringComparison.Ordinal);
    }

    [Fact]
    public void Schema_Keys_AreWellFormed()
    {
        Assert.Distinct(ConfigurationSchema.Keys.Select(key => key.Id));
        foreach (ConfigurationKey key in ConfigurationSchema.Keys)
        {
            if (key.Use == KeyUse.Applied)
                Assert.EndsWith(".", key.Description, StringComparison.Ordinal);
            if (key.Default is not null)
                Assert.NotNull(ConfigurationCheck.Fit(key, key.Default));
            if (key.BoundedBy is not null)
                Assert.NotNull(ConfigurationSchema.Find($"hypervisor.{key.BoundedBy}"));
        }
    }

    private static string Template()
    {
        using StringWriter writer = new();
        ConfigurationTemplate.Write(writer);
        return writer.ToString();
    }
}
