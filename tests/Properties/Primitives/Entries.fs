namespace Curvature.Tests.Properties

/// Every primitive's cases. A new primitive goes into one of these lists, and is then held to all laws.
module internal Entries =

    let all: Entry list =
        ElementwiseCases.entries
        @ StructureCases.entries
        @ ProductCases.entries
        @ DecompositionCases.entries
        @ ImageCases.entries
        @ RecomputationCases.entries
