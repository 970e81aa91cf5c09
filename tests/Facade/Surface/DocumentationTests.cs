using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using NUnit.Framework;

namespace Curvature.Tests.Facade.Surface;

/// <summary>The code on the pages is code that is compiled and run, and there is some for everything.</summary>
public sealed class DocumentationTests
{
    private static IEnumerable<TestCaseData> CodeBlocks =>
        Documentation.Blocks
            .Where(block => block.Language is "csharp" or "fsharp")
            .Select(block => new TestCaseData(block).SetArgDisplayNames(block.ToString()));

    private static IEnumerable<Type> Classes => Library.FacadeClasses;

    private static IEnumerable<string> Modules =>
        Library.ModuleFunctions.Select(Library.FSharpName).Select(name => name.Split('.')[0]).Distinct();

    [TestCaseSource(nameof(CodeBlocks))]
    public void CodeOnAPageStandsInAProgramThatIsRun(CodeBlock block) =>
        Assert.That(
            Documentation.Programs(block.Language).Any(program => Documentation.Contains(program, block.Lines)),
            $"{block} is not in a compiled file:\n{block.Text}");

    // A fence of fsx or cs is a whole program, which build/package/try.sh runs from the packages, or how the script of
    // a page begins, which build/pages.fsx runs: it names packages, and no compiled file can do so.
    [Test]
    public void EveryFenceNamesItsLanguage() =>
        Assert.That(
            Documentation.Blocks.Where(block =>
                block.Language is not ("csharp" or "fsharp" or "fsx" or "cs" or "sh" or "text")),
            Is.Empty);

    [TestCaseSource(nameof(Classes))]
    public void EveryClassOfTheFacadeIsShownOnAPage(Type type)
    {
        var names = type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
            .Select(method => method.Name.Replace("get_", "", StringComparison.Ordinal));
        var use = new Regex($@"\b{type.Name}\.|\.({string.Join('|', names)})\b");
        Assert.That(Documentation.Blocks.Any(block => block.Language == "csharp" && use.IsMatch(block.Text)));
    }

    [TestCaseSource(nameof(Modules))]
    public void EveryModuleIsShownOnAPage(string module)
    {
        var names = Library.ModuleFunctions.Select(Library.FSharpName)
            .Where(name => name.StartsWith($"{module}.", StringComparison.Ordinal))
            .Select(name => name[(module.Length + 1)..]);

        // Functions of the modules that open by themselves are called by their own names.
        var use = new Regex(module is "Differentiation" or "TensorBuilders" or "TaylorMode"
            ? $@"\b({string.Join('|', names)}) "
            : $@"\b{module}\.({string.Join('|', names)})\b");
        Assert.That(Documentation.Blocks.Any(block => block.Language == "fsharp" && use.IsMatch(block.Text)));
    }

    [Test]
    public void WhatMembersOfTheFacadeInheritIsWrittenInTheCore()
    {
        var written = Library.Assemblies.Except([Library.Facade])
            .SelectMany(assembly => Documentation.Members(assembly.GetName().Name!))
            .Where(member => member.Value.Trim().Length > 0)
            .Select(member => member.Attribute("name")!.Value)
            .ToHashSet();
        var inherited = Documentation.Members("Curvature.CSharp")
            .Descendants("inheritdoc")
            .Select(element => element.Attribute("cref")!.Value)
            .Where(name => name.Contains(":Curvature.FSharp.", StringComparison.Ordinal))
            .ToArray();
        Assert.That(inherited, Has.Length.GreaterThan(300));
        Assert.That(inherited.Except(written), Is.Empty);
    }

    [Test]
    public void ABlockMatchesOnlyWholeLinesOfOneIndent()
    {
        string[] program = ["    a", "      b", "", "    c"];
        Assert.That(Documentation.Contains(program, ["a", "  b", "", "c"]));
        Assert.That(Documentation.Contains(program, ["  b"]));
        Assert.That(Documentation.Contains(program, ["a", "b"]), Is.False);
        Assert.That(Documentation.Contains(["x = a"], ["a"]), Is.False);
        Assert.That(Documentation.Contains(program, ["c", "d"]), Is.False);
    }
}
