// Something to synthesise: an accumulator and a counter with a synchronous reset.
module top(input clk, input rst, input [7:0] a, b, output reg [7:0] sum, output reg [3:0] count);
  always @(posedge clk)
    if (rst) begin
      sum <= 0;
      count <= 0;
    end else begin
      sum <= sum + a + b;
      count <= count + (a > b);
    end
endmodule
