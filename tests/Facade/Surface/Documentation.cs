using System.Text.RegularExpressions;
using System.Xml.Linq;
using NUnit.Framework;

namespace Curvature.Tests.Facade.Surface;

/// <summary>A piece of code on a page.</summary>
/// <param name="Page">The page, from the root of the repository.</param>
/// <param name="Line">The line on which it begins.</param>
/// <param name="Language">What it is written in, as the page says.</param>
/// <param name="Lines">The code.</param>
public sealed record CodeBlock(string Page, int Line, string Language, string[] Lines)
{
    public string Text => string.Join('\n', Lines);

    public override string ToString() => $"{Page}:{Line}";
}

/// <summary>The pages of the repository, and the programs that their code is taken from.</summary>
internal static partial class Documentation
{
    /// <summary>The folder of the repository.</summary>
    public static readonly string Root = FindRoot();

    /// <summary>The README, the rules for contributors, and what is in docs.</summary>
    public static IEnumerable<CodeBlock> Blocks =>
        Directory.GetFiles(Path.Combine(Root, "docs"), "*.md")
            .Concat(Directory.GetFiles(Path.Combine(Root, "docs", "tutorials"), "*.fsx"))
            .Append(Path.Combine(Root, "README.md"))
            .Append(Path.Combine(Root, "CONTRIBUTING.md"))
            .SelectMany(BlocksOf);

    /// <summary>The files of a language that are compiled and run, by the tests or as samples.</summary>
    public static IReadOnlyList<string[]> Programs(string language) => language switch
    {
        "csharp" => Read("*.cs", "tests/Facade/DocExamples", "samples/TorchSharp", "samples/Cluster/Orleans"),
        "fsharp" => Read(
            "*.fs", "tests/Unit/DocExamples", "tests/TorchSharp/DocExamples", "tests/Onnx/DocExamples",
            "tests/Distributed/DocExamples"),
        _ => [],
    };

    /// <summary>Whether the lines stand in a program one after the other, all indented by the same amount.</summary>
    public static bool Contains(string[] program, string[] lines) =>
        Enumerable.Range(0, Math.Max(0, program.Length - lines.Length + 1))
            .Any(start => program[start].EndsWith(lines[0], StringComparison.Ordinal)
                && Matches(program.AsSpan(start, lines.Length), lines, program[start][..^lines[0].Length]));

    /// <summary>What the compiler wrote down of each documented member of an assembly.</summary>
    public static IEnumerable<XElement> Members(string assembly) =>
        XDocument.Load(Path.Combine(TestContext.CurrentContext.TestDirectory, $"{assembly}.xml")).Descendants("member");

    private static bool Matches(ReadOnlySpan<string> program, string[] lines, string indent)
    {
        if (indent.Trim().Length > 0)
        {
            return false;
        }

        for (var i = 0; i < lines.Length; i++)
        {
            if (program[i].TrimEnd() != (indent + lines[i]).TrimEnd())
            {
                return false;
            }
        }

        return true;
    }

    private static IEnumerable<CodeBlock> BlocksOf(string path)
    {
        var lines = File.ReadAllLines(path);
        for (var i = 0; i < lines.Length; i++)
        {
            if (Fence().Match(lines[i]) is { Success: true } fence)
            {
                var end = Array.IndexOf(lines, "```", i + 1);
                yield return new(Path.GetRelativePath(Root, path), i + 2, fence.Groups[1].Value, lines[(i + 1)..end]);
                i = end;
            }
        }
    }

    private static string[][] Read(string pattern, params string[] folders) =>
        folders.SelectMany(folder => Directory.GetFiles(Path.Combine(Root, folder), pattern))
            .Select(File.ReadAllLines)
            .ToArray();

    private static string FindRoot()
    {
        var start = TestContext.CurrentContext.TestDirectory;
        for (var folder = start; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Curvature.sln")))
            {
                return folder;
            }
        }

        throw new DirectoryNotFoundException("Curvature.sln is not above the tests");
    }

    [GeneratedRegex("^```(\\w*)$")]
    private static partial Regex Fence();
}
