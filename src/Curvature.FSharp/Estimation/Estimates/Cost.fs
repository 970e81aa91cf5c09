namespace Curvature

/// What is asked of an operator.
[<Struct; NoEquality; NoComparison>]
type internal Cost =
    {
        Products: int
        Forms: int
    }

    member cost.Total = cost.Products + cost.Forms

module internal Cost =

    let none = { Products = 0; Forms = 0 }
    let products count = { none with Products = count }

    let sum (costs: Cost list) : Cost =
        {
            Products = costs |> List.sumBy _.Products
            Forms = costs |> List.sumBy _.Forms
        }
