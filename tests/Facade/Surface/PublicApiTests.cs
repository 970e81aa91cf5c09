using System.Reflection;
using System.Text;
using NUnit.Framework;
using PublicApiGenerator;

namespace Curvature.Tests.Facade.Surface;

/// <summary>The public members of each package are those of a list, so that a change of them is always meant.</summary>
public sealed class PublicApiTests
{
    /// <summary>Set to 1, the lists are written anew instead of being compared.</summary>
    private const string Accept = "CURVATURE_ACCEPT_API";

    private static IEnumerable<string> Packages =>
        Library.Assemblies.Select(assembly => assembly.GetName().Name!)
            .Append("Curvature.Onnx")
            .Order(StringComparer.Ordinal);

    // What the F# compiler writes for itself, and what says nothing of how a member is used.
    private static readonly string[] Unlisted =
    [
        .. new[]
        {
            "AbstractClass", "AllowNullLiteral", "AutoOpen", "CompilationArgumentCounts", "CompilationMapping",
            "CompilationRepresentation", "CompilationSourceName", "CompilerMessage", "CustomEquality", "InlineIfLambda",
            "Literal", "NoComparison", "NoEquality", "OptionalArgument", "ReferenceEquality", "RequireQualifiedAccess",
            "Sealed", "Struct", "StructuredFormatDisplay",
        }.Select(name => $"Microsoft.FSharp.Core.{name}Attribute"),
        "System.Diagnostics.DebuggerBrowsableAttribute",
        "System.Diagnostics.DebuggerDisplayAttribute",
    ];

    [TestCaseSource(nameof(Packages))]
    public void ThePublicMembersOfAPackageAreThoseOfItsList(string package)
    {
        var options = new ApiGeneratorOptions { IncludeAssemblyAttributes = false, ExcludeAttributes = Unlisted };
        var assembly = Assembly.Load(package);
        var found = Lines(assembly.GeneratePublicApi(options));
        var file = Path.Combine(Documentation.Root, "tests", "PublicApi", $"{package}.txt");

        if (Environment.GetEnvironmentVariable(Accept) == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, string.Join('\n', found) + "\n");
        }

        var listed = File.Exists(file) ? Lines(File.ReadAllText(file)) : [];
        var difference = Difference(listed, found);
        Assert.That(
            difference,
            Is.Empty,
            $"The public members of {package} changed. Where that is meant, accept it by\n"
            + $"  {Accept}=1 dotnet test -c Release tests/Facade --filter Name~ThePublicMembers\n"
            + $"and commit {Path.GetRelativePath(Documentation.Root, file)}. The difference:\n{difference}");
    }

    [Test]
    public void ALineThatCameAndOneThatWentAreTold() =>
        Assert.That(
            Difference(["class A", "  int F()", "  int G()"], ["class A", "  long F()", "  int G()", "  int H()"]),
            Is.EqualTo("-  int F()\n+  long F()\n+  int H()\n"));

    private static string[] Lines(string text) =>
        text.Replace("\r", "", StringComparison.Ordinal).TrimEnd().Split('\n');

    /// <summary>The lines that went and those that came, along a longest common subsequence of both.</summary>
    private static string Difference(string[] before, string[] after)
    {
        var common = new int[before.Length + 1, after.Length + 1];
        for (var i = before.Length - 1; i >= 0; i--)
        {
            for (var j = after.Length - 1; j >= 0; j--)
            {
                common[i, j] = string.Equals(before[i], after[j], StringComparison.Ordinal)
                    ? 1 + common[i + 1, j + 1]
                    : Math.Max(common[i + 1, j], common[i, j + 1]);
            }
        }

        var text = new StringBuilder();
        int a = 0, b = 0;
        while (a < before.Length || b < after.Length)
        {
            if (a < before.Length && b < after.Length && string.Equals(before[a], after[b], StringComparison.Ordinal))
            {
                a++;
                b++;
            }
            else if (b == after.Length || (a < before.Length && common[a + 1, b] >= common[a, b + 1]))
            {
                text.Append('-').Append(before[a++]).Append('\n');
            }
            else
            {
                text.Append('+').Append(after[b++]).Append('\n');
            }
        }

        return text.ToString();
    }
}
